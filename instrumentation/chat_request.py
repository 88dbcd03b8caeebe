"""What a chat request says about itself, as span attributes."""

from collections.abc import Mapping
from typing import Any

from opentelemetry.util.types import AttributeValue

from hansei.instrumentation import attributes as names
from hansei.instrumentation.messages import field
from hansei.instrumentation.server import OPENAI_FLAVOURS

_NUMBERS = {
    "temperature": names.REQUEST_TEMPERATURE,
    "top_p": names.REQUEST_TOP_P,
    "top_k": names.REQUEST_TOP_K,
    "frequency_penalty": names.REQUEST_FREQUENCY_PENALTY,
    "presence_penalty": names.REQUEST_PRESENCE_PENALTY,
}
_OUTPUT_TYPES = {"text": "text", "json_object": "json", "json_schema": "json"}


def sent_parameters(arguments: dict[str, Any]) -> Mapping[str, Any]:
    """The request's parameters as the server gets them: the client lets ``extra_body`` win."""
    extra = arguments.get("extra_body")
    return {**arguments, **extra} if isinstance(extra, dict) else arguments


def requested_model(parameters: Mapping[str, Any]) -> str | None:
    """The model's name, if there is one."""
    model = parameters.get("model")
    return model if isinstance(model, str) and model else None


def request_attributes(parameters: Mapping[str, Any], provider: str) -> dict[str, AttributeValue]:
    """The settings of a request. One that was not given, or has the wrong type, has no attribute."""
    found: dict[str, AttributeValue] = {}
    for parameter, name in _NUMBERS.items():
        value = parameters.get(parameter)
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = float(value)
    settings = {
        names.REQUEST_MAX_TOKENS: _max_tokens(parameters),
        names.REQUEST_SEED: _integer(parameters.get("seed")),
        names.REQUEST_CHOICE_COUNT: _choice_count(parameters),
        names.REQUEST_STOP_SEQUENCES: _stop_sequences(parameters.get("stop")),
        names.REQUEST_REASONING_LEVEL: _string(parameters.get("reasoning_effort")),
        names.OUTPUT_TYPE: _output_type(parameters),
    }
    found.update({name: value for name, value in settings.items() if value is not None})
    if provider in OPENAI_FLAVOURS:
        found[names.OPENAI_API_TYPE] = "chat_completions"
        tier = _string(parameters.get("service_tier"))
        if tier and tier != "auto":
            found[names.OPENAI_REQUEST_SERVICE_TIER] = tier
    return found


def _max_tokens(parameters: Mapping[str, Any]) -> int | None:
    limit = _integer(parameters.get("max_completion_tokens"))
    return limit if limit is not None else _integer(parameters.get("max_tokens"))


def _choice_count(parameters: Mapping[str, Any]) -> int | None:
    count = _integer(parameters.get("n"))
    # The convention asks for it only where it says something.
    return None if count == 1 else count


def _stop_sequences(stop: object) -> list[str] | None:
    if isinstance(stop, str):
        return [stop]
    if isinstance(stop, list | tuple) and stop and all(isinstance(sequence, str) for sequence in stop):
        return list(stop)
    return None


def _output_type(parameters: Mapping[str, Any]) -> str | None:
    requested = _string(field(parameters.get("response_format"), "type"))
    if requested:
        return _OUTPUT_TYPES.get(requested)
    modalities = parameters.get("modalities")
    return "speech" if isinstance(modalities, list | tuple) and "audio" in modalities else None


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None
