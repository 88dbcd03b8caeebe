"""Token counts, in the two shapes in which the API reports them."""

from typing import Any

from opentelemetry.util.types import AttributeValue

from hansei.instrumentation import attributes as names
from hansei.instrumentation.operations.fields import field

_TOTALS = (
    # Chat completions, completions and embeddings; then responses, images and audio.
    (names.USAGE_INPUT_TOKENS, ("prompt_tokens", "input_tokens")),
    (names.USAGE_OUTPUT_TOKENS, ("completion_tokens", "output_tokens")),
)
_INPUT_DETAILS = (
    (names.USAGE_CACHE_READ_INPUT_TOKENS, "cached_tokens"),
    (names.USAGE_CACHE_WRITE_INPUT_TOKENS, "cache_write_tokens"),
    (names.USAGE_TEXT_INPUT_TOKENS, "text_tokens"),
    (names.USAGE_IMAGE_INPUT_TOKENS, "image_tokens"),
    (names.USAGE_AUDIO_INPUT_TOKENS, "audio_tokens"),
)
_OUTPUT_DETAILS = (
    (names.USAGE_REASONING_OUTPUT_TOKENS, "reasoning_tokens"),
    (names.USAGE_TEXT_OUTPUT_TOKENS, "text_tokens"),
    (names.USAGE_IMAGE_OUTPUT_TOKENS, "image_tokens"),
    (names.USAGE_AUDIO_OUTPUT_TOKENS, "audio_tokens"),
)


def usage_attributes(usage: Any) -> dict[str, AttributeValue]:
    """The counts that a response's ``usage`` has; input includes what was cached, output includes reasoning."""
    found: dict[str, AttributeValue] = {}
    if usage is None:
        return found
    for name, keys in _TOTALS:
        for key in keys:
            _copy_count(found, name, field(usage, key))
    _copy_details(found, _INPUT_DETAILS, field(usage, "prompt_tokens_details") or _input_details(usage))
    _copy_details(found, _OUTPUT_DETAILS, field(usage, "completion_tokens_details") or _output_details(usage))
    return found


def _input_details(usage: Any) -> Any:
    # The transcription's has another name than everyone else's.
    return (
        field(usage, "input_tokens_details")
        or field(usage, "input_token_details")
        or field(usage, "prompt_token_details")
    )


def _output_details(usage: Any) -> Any:
    return field(usage, "output_tokens_details") or field(usage, "output_token_details")


def _copy_details(found: dict[str, AttributeValue], details: tuple[tuple[str, str], ...], source: Any) -> None:
    if source is not None:
        for name, key in details:
            _copy_count(found, name, field(source, key))


def _copy_count(found: dict[str, AttributeValue], name: str, count: object) -> None:
    if type(count) is int:
        found[name] = count
