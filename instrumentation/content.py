"""The switch that decides where prompts, answers, inputs and outputs are recorded, and how much of them."""

import logging
import os
import re
from dataclasses import dataclass

CAPTURE_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
MAX_LENGTH_VARIABLE = "HANSEI_CONTENT_MAX_LENGTH"
DEFAULT_MAX_LENGTH = 128 * 1024
"""Characters of one text: a message part, a tool's arguments, an input."""

_NOTE = re.compile(r"… \[\d+ characters left out\]")
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Content:
    """Where content goes, and how much of it."""

    on_spans: bool = False
    on_events: bool = False
    max_length: int = DEFAULT_MAX_LENGTH
    """Characters of one text; what is longer is cut, and says so."""

    @property
    def recorded(self) -> bool:
        """Whether anything is."""
        return self.on_spans or self.on_events


NOTHING = Content()
_WORDS = {
    "true": Content(on_spans=True),
    "span_only": Content(on_spans=True),
    "event_only": Content(on_events=True),
    "span_and_event": Content(on_spans=True, on_events=True),
    "false": NOTHING,
    "no_content": NOTHING,
}


class ContentSwitch:
    """The process's choice: what ``instrument()`` was told, else the environment's word, else nothing."""

    def __init__(self) -> None:
        self._chosen: Content | None = None

    @property
    def content(self) -> Content:
        """What holds now."""
        if self._chosen is None:
            self._chosen = content_choice(None, default=NOTHING)
        return self._chosen

    def set(self, content: Content | None) -> None:
        """Choose for the process; ``None`` looks at the environment again."""
        self._chosen = content


process_content = ContentSwitch()
"""What ``@trace`` and ``start_span`` go by; ``instrument()`` sets it."""


def content_choice(choice: bool | str | None, *, default: Content) -> Content:
    """Where content goes.

    ``choice`` is what ``instrument(capture_content=…)`` was given: True (spans), False, or a value of
    ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`` (``SPAN_ONLY``, ``EVENT_ONLY``, ``SPAN_AND_EVENT``,
    ``NO_CONTENT``, in any case). Without one that variable decides, and without that ``default``. A word that is not
    known records nothing, because content that was not meant to leave cannot be recalled.
    """
    chosen = default
    word = str(choice if choice is not None else os.environ.get(CAPTURE_VARIABLE, "")).strip().lower()
    if word:
        if word not in _WORDS:
            _logger.warning(
                "%s: %r is not a way to capture content; use one of %s. Content is not recorded.",
                CAPTURE_VARIABLE if choice is None else "capture_content",
                word,
                ", ".join(_WORDS),
            )
        chosen = _WORDS.get(word, NOTHING)
    return Content(chosen.on_spans, chosen.on_events, _max_length())


def _max_length() -> int:
    text = os.environ.get(MAX_LENGTH_VARIABLE, "").strip()
    if not text:
        return DEFAULT_MAX_LENGTH
    if text.isdecimal() and int(text) > 0:
        return int(text)
    _logger.warning("%s: %r is not a number of characters; %d is used", MAX_LENGTH_VARIABLE, text, DEFAULT_MAX_LENGTH)
    return DEFAULT_MAX_LENGTH


def cut(text: str, limit: int) -> str:
    """The text, or its beginning with a note of how many characters are left out."""
    # What was cut while it was streamed is not cut again: the note would be counted.
    if len(text) <= limit or _NOTE.fullmatch(text, limit):
        return text
    return f"{text[:limit]}… [{len(text) - limit} characters left out]"
