"""How values, scores and metrics are written."""

import json
from typing import TYPE_CHECKING, Any, Final

from hansei.evaluation.runs.comparison_text import p_text
from hansei.feedback.pages.formats import NOTHING

if TYPE_CHECKING:
    from hansei.evaluation.runs.paired import PairedDifference

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


def signed(value: float | None) -> str:
    """A difference, with its sign."""
    if value is None:
        return NOTHING
    return "0" if value == 0 else f"{value:+,.3g}" if abs(value) < 1000 else f"{value:+,.0f}"


def p_value(value: float) -> str:
    """``= 0.031``, ``< 0.001``."""
    text = p_text(value)
    return text if text.startswith("<") else f"= {text}"


def effect(found: "PairedDifference") -> str:
    """How large an effect is, in words: of Cohen's g and of correlations as Cohen has them (*Statistical Power
    Analysis*, 1988, chapters 3 and 5)."""
    if found.effect is None:
        return "nothing changed"
    limits = _EFFECTS if found.effect_name.startswith("Cohen") else _CORRELATIONS
    return next((word for limit, word in limits if abs(found.effect) >= limit), "negligible")


_EFFECTS: Final = ((0.25, "large"), (0.15, "medium"), (0.05, "small"))
_CORRELATIONS: Final = ((0.5, "large"), (0.3, "medium"), (0.1, "small"))
FILTERS: Final = {
    "effect": effect,
    "metric": metric,
    "mood": mood,
    "p_value": p_value,
    "score": score,
    "shown": shown,
    "signed": signed,
}
