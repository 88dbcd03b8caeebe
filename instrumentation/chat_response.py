"""What a chat response says about itself, as span attributes."""

from typing import Any

from opentelemetry.util.types import AttributeValue

from hansei.instrumentation import attributes as names
from hansei.instrumentation.messages import field
from hansei.instrumentation.server import OPENAI_FLAVOURS


def response_attributes(response: object, provider: str) -> dict[str, AttributeValue]:
    """Id, model, finish reasons and usage, as far as the response has them.

    The client builds its models without validation, so any field of a response may be missing or of
    another type, and a server that does not answer in JSON makes the whole response a string.
    """
    found: dict[str, AttributeValue] = {}
    _copy_text(found, names.RESPONSE_ID, field(response, "id"))
    _copy_text(found, names.RESPONSE_MODEL, field(response, "model"))
    if reasons := _finish_reasons(field(response, "choices")):
        found[names.RESPONSE_FINISH_REASONS] = reasons
    _copy_usage(found, field(response, "usage"))
    if provider in OPENAI_FLAVOURS:
        _copy_text(found, names.OPENAI_RESPONSE_SERVICE_TIER, field(response, "service_tier"))
        _copy_text(found, names.OPENAI_RESPONSE_SYSTEM_FINGERPRINT, field(response, "system_fingerprint"))
    return found


def _finish_reasons(choices: object) -> list[str]:
    if not isinstance(choices, list | tuple):
        return []
    reasons = [field(choice, "finish_reason") for choice in choices]
    return [reason for reason in reasons if isinstance(reason, str)]


def _copy_usage(found: dict[str, AttributeValue], usage: Any) -> None:
    prompt = field(usage, "prompt_tokens_details")
    completion = field(usage, "completion_tokens_details")
    counts = {
        names.USAGE_INPUT_TOKENS: field(usage, "prompt_tokens"),
        names.USAGE_OUTPUT_TOKENS: field(usage, "completion_tokens"),
        names.USAGE_CACHE_READ_INPUT_TOKENS: field(prompt, "cached_tokens"),
        names.USAGE_CACHE_WRITE_INPUT_TOKENS: field(prompt, "cache_write_tokens"),
        names.USAGE_AUDIO_INPUT_TOKENS: field(prompt, "audio_tokens"),
        names.USAGE_REASONING_OUTPUT_TOKENS: field(completion, "reasoning_tokens"),
        names.USAGE_AUDIO_OUTPUT_TOKENS: field(completion, "audio_tokens"),
    }
    found.update({name: count for name, count in counts.items() if type(count) is int})


def _copy_text(found: dict[str, AttributeValue], name: str, value: object) -> None:
    if isinstance(value, str) and value:
        found[name] = value
