"""Texts that can be stored and shown."""

import re
from typing import Final

from hansei.feedback.labeling.errors import InvalidLabeling

_MORE_LINES: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Control characters and breaks of lines."""


def storable(text: str) -> bool:
    """Whether a text has neither a zero byte nor half a character."""
    return not re.search("[\0\ud800-\udfff]", text)


def brief(value: object) -> str:
    """A value as an error shows it."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def plain_text(argument: str, value: object, longest: int) -> str:
    """A text of one line with something in it, in so many characters. Raises :class:`InvalidLabeling`."""
    if not isinstance(value, str) or not value.strip() or _MORE_LINES.search(value) or not storable(value):
        raise InvalidLabeling(f"{argument}: {brief(value)} is not a text of one line; give one with something in it")
    if len(value) > longest:
        raise InvalidLabeling(f"{argument}: {brief(value)} has {len(value)} characters; give at most {longest}")
    return value


def long_text(argument: str, value: object, longest: int) -> str | None:
    """A text of any lines, or None where there is none. Raises :class:`InvalidLabeling`."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not storable(value):
        raise InvalidLabeling(f"{argument}: {brief(value)} is not a text that can be stored; give one, or None")
    if len(value) > longest:
        raise InvalidLabeling(f"{argument}: it has {len(value)} characters; give at most {longest}")
    return value
