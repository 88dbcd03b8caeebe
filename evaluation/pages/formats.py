"""How values, scores and metrics are written."""

import json
from typing import Any, Final

from hansei.feedback.pages.formats import NOTHING

LONGEST: Final = 20_000
"""Characters of a value on a page."""


def shown(value: Any) -> str:
    """A value for people: a text as it is, a dict or a list as JSON on lines of its own."""
    if value is None:
        return NOTHING
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … ({len(text) - LONGEST:,} characters more)"


def score(value: Any) -> str:
    """A score in short."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, str | int):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def metric(value: float | None) -> str:
    """A metric: three digits that matter."""
    return NOTHING if value is None else f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def mood(value: Any) -> str:
    """The class of a score's mark: what is yes is fine, what is no is not; others are neither."""
    if isinstance(value, str):
        value = {"yes": True, "pass": True, "no": False, "fail": False}.get(value.strip().lower())
    return {True: "ok", False: "error"}.get(value, "") if isinstance(value, bool) else ""


FILTERS: Final = {"shown": shown, "score": score, "metric": metric, "mood": mood}
