"""Token counts, in the two shapes in which the API reports them."""

from typing import Any

from opentelemetry.util.types import AttributeValue

from hansei.instrumentation import attributes as names
from hansei.instrumentation.operations.fields import given

_Names = dict[str, str]
"""Of a field of the API: the attribute."""
_TOTALS = {
    # Chat completions, completions and embeddings; then responses, images and audio.
    "prompt_tokens": names.USAGE_INPUT_TOKENS,
    "completion_tokens": names.USAGE_OUTPUT_TOKENS,
    "input_tokens": names.USAGE_INPUT_TOKENS,
    "output_tokens": names.USAGE_OUTPUT_TOKENS,
}
_INPUT_DETAILS = {
    "cached_tokens": names.USAGE_CACHE_READ_INPUT_TOKENS,
    "cache_write_tokens": names.USAGE_CACHE_WRITE_INPUT_TOKENS,
}
_OUTPUT_DETAILS = {"reasoning_tokens": names.USAGE_REASONING_OUTPUT_TOKENS}
_INPUT_MODALITIES = {
    "text_tokens": names.USAGE_TEXT_INPUT_TOKENS,
    "image_tokens": names.USAGE_IMAGE_INPUT_TOKENS,
    "audio_tokens": names.USAGE_AUDIO_INPUT_TOKENS,
}
_OUTPUT_MODALITIES = {
    "text_tokens": names.USAGE_TEXT_OUTPUT_TOKENS,
    "image_tokens": names.USAGE_IMAGE_OUTPUT_TOKENS,
    "audio_tokens": names.USAGE_AUDIO_OUTPUT_TOKENS,
}
_PARTS = {
    "prompt_tokens_details": (_INPUT_DETAILS, _INPUT_MODALITIES),
    "completion_tokens_details": (_OUTPUT_DETAILS, _OUTPUT_MODALITIES),
    "input_tokens_details": (_INPUT_DETAILS, _INPUT_MODALITIES),
    "output_tokens_details": (_OUTPUT_DETAILS, _OUTPUT_MODALITIES),
    # Transcriptions and the Realtime API.
    "input_token_details": (_INPUT_DETAILS, _INPUT_MODALITIES),
    "output_token_details": (_OUTPUT_DETAILS, _OUTPUT_MODALITIES),
}


def usage_attributes(usage: Any) -> dict[str, AttributeValue]:
    """The counts that a response's ``usage`` has; input includes what was cached, output includes reasoning.

    A modality that had no tokens has no attribute: every chat would carry a count of its sounds.
    """
    found: dict[str, AttributeValue] = {}
    for key, value in given(usage):
        if type(value) is int:
            if (name := _TOTALS.get(key)) is not None:
                found[name] = value
        elif (parts := _PARTS.get(key)) is not None:
            _copy_parts(found, parts, value)
    return found


def _copy_parts(found: dict[str, AttributeValue], known: tuple[_Names, _Names], parts: Any) -> None:
    details, modalities = known
    for part, count in given(parts):
        if type(count) is int:
            name = details.get(part) or (modalities.get(part) if count else None)
            if name is not None:
                found[name] = count
