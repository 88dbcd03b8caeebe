"""Values of assessments as JSON text, without loss."""

import json
from collections.abc import Callable

from hansei.feedback.errors import InvalidAssessment
from hansei.feedback.text import sendable

_SCALARS = "a bool, int, float or str"
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
"""Made once: to make one takes longer than a short text."""


def feedback_json(value: object) -> str:
    """JSON text of the value of a feedback: a bool, a number, a text, or lists and dicts of these.

    Raises ``InvalidAssessment``.
    """
    return _json(
        value, lambda part: isinstance(part, bool | int | float | str), f"{_SCALARS}, or lists and dicts of these"
    )


def expectation_json(value: object) -> str:
    """JSON text of the value of an expectation, which may be any JSON. Raises ``InvalidAssessment``."""
    allowed = f"JSON: None, {_SCALARS}, or lists and dicts of these"
    return _json(value, lambda part: part is None or isinstance(part, bool | int | float | str), allowed)


def _json(value: object, is_scalar: Callable[[object], bool], allowed: str) -> str:
    try:
        _check(value, is_scalar, allowed)
        text = _ENCODER.encode(value)
    except RecursionError:
        raise InvalidAssessment("value: it is nested too deeply, or contains itself") from None
    except ValueError as error:
        if isinstance(error, InvalidAssessment):
            raise
        raise InvalidAssessment(f"value: NaN and infinity are not JSON; use None or a string ({error})") from None
    return sendable(text)


def _check(value: object, is_scalar: Callable[[object], bool], allowed: str) -> None:
    if isinstance(value, dict):
        for key, part in value.items():
            if not isinstance(key, str):
                raise InvalidAssessment(f"value: the key {key!r} of a dict is not a string")
            _check(part, is_scalar, allowed)
    elif isinstance(value, list | tuple):
        for part in value:
            _check(part, is_scalar, allowed)
    elif not is_scalar(value):
        raise InvalidAssessment(f"value: {_brief(value)} is a {type(value).__name__}; allowed is {allowed}")


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
