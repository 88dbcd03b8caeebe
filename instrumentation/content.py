"""The switch that decides whether prompts and answers are recorded on spans."""

import logging
import os

CAPTURE_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

_RECORDED = {
    "true": True,
    "span_only": True,
    "span_and_event": True,
    "false": False,
    "no_content": False,
    # Content was asked for on events alone, so it has no business on a span.
    "event_only": False,
}

_logger = logging.getLogger(__name__)


def content_recorded(choice: bool | str | None, *, default: bool) -> bool:
    """Whether message content goes on spans.

    ``choice`` is what ``instrument(capture_content=…)`` was given; without one
    ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`` decides, and without that ``default``.
    A word that is not known records nothing, because content that was not meant to leave cannot be recalled.
    """
    if isinstance(choice, bool):
        return choice
    word = (choice if choice is not None else os.environ.get(CAPTURE_VARIABLE, "")).strip().lower()
    if not word:
        return default
    if word not in _RECORDED:
        _logger.warning(
            "%s: %r is not a way to capture content; use one of %s. Content is not recorded.",
            CAPTURE_VARIABLE if choice is None else "capture_content",
            word,
            ", ".join(_RECORDED),
        )
        return False
    return _RECORDED[word]
