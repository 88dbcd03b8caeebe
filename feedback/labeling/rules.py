"""Rules by which traces are chosen for labeling."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from hansei.feedback.labeling.errors import InvalidLabeling
from hansei.feedback.labeling.texts import brief, plain_text
from hansei.feedback.search.filter_parser import parse
from hansei.feedback.search.moment import nanoseconds

NEGATIVE: Final = "negative_feedback"
DISAGREEMENT: Final = "disagreement"
LOW_SCORE: Final = "low_score"
RANDOM: Final = "random"
STRATIFIED: Final = "stratified"
FILTER: Final = "filter"
TAKEN: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    NEGATIVE: ((), ("name",)),
    DISAGREEMENT: ((), ("name",)),
    LOW_SCORE: (("name", "threshold"), ()),
    RANDOM: ((), ("weight", "share")),
    STRATIFIED: (("by", "each"), ()),
    FILTER: (("filter",), ()),
}
"""Of each kind, what it needs and what it may have, beside what every rule may have."""
COMMON: Final = ("filter", "since", "from", "to", "maximum")
WEIGHTS: Final = ("duration", "tokens", "cost")
STRATA: Final = ("service", "model", "provider", "user", "session", "name", "status")
MOST: Final = 100_000
"""Traces that one rule chooses."""
LASTING_SINCE: Final = "7d"
"""How far a rule looks back that keeps filling a session and names no time itself."""
MOST_RULES: Final = 20
_LONGEST_FILTER: Final = 10_000
_LONGEST_TEXT: Final = 500
_UNITS: Final = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True, slots=True)
class Rule:
    """Which traces are chosen, how many at most, and of which time."""

    kind: str
    name: str | None = None
    """Of the feedback that is looked at; None: of any."""
    threshold: float | None = None
    """The score that is low, and all below it."""
    weight: str | None = None
    """What makes a trace more likely to be drawn: twice of it, twice as likely."""
    share: float | None = None
    """Of all traces, drawn by their id: the same ones whenever it is asked."""
    by: str | None = None
    each: int | None = None
    """How many of each value of ``by``."""
    filter: str | None = None
    """What the traces must fulfil besides, in the language of searches."""
    since: str | None = None
    """How far it looks back: 30m, 12h, 7d or 2w."""
    from_: int | str | None = None
    to: int | str | None = None
    maximum: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As it is stored, without what is not set."""
        found = {field.name.rstrip("_"): getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if value is not None}

    def reason(self) -> str:
        """The rule in words, as its items carry it."""
        said = {
            NEGATIVE: "negative feedback" + (f" {self.name}" if self.name else ""),
            DISAGREEMENT: "judge and human disagree" + (f" on {self.name}" if self.name else ""),
            LOW_SCORE: f"{self.name} at most {self.threshold:g}" if self.threshold is not None else "",
            RANDOM: "random"
            + (f" {self.share:.4g} of all" if self.share is not None else "")
            + (f" weighted by {self.weight}" if self.weight else ""),
            STRATIFIED: f"{self.each} of each {self.by}",
            FILTER: "filter",
        }[self.kind]
        return f"{said}: {self.filter}" if self.filter else said

    def window(self, now_ns: int) -> tuple[int | None, int | None]:
        """From when to when the traces began, nanoseconds since 1970; None where there is no bound."""
        start = None if self.from_ is None else nanoseconds("from", self.from_)
        if self.since is not None:
            start = now_ns - _seconds(self.since) * 1_000_000_000
        return start, None if self.to is None else nanoseconds("to", self.to)


def rule_of(given: object) -> Rule:
    """A rule of its JSON. Raises :class:`InvalidLabeling`, and ``InvalidSearch`` for a filter or a moment."""
    if not isinstance(given, Mapping):
        raise InvalidLabeling(f"rule: {brief(given)} is not an object with a kind")
    kind = given.get("kind")
    if not isinstance(kind, str) or kind not in TAKEN:
        raise InvalidLabeling(f"kind: {brief(kind)} is not one of {', '.join(TAKEN)}")
    needed, optional = TAKEN[kind]
    known = tuple(dict.fromkeys((*needed, *optional, *COMMON)))
    for name in given:
        if name != "kind" and name not in known:
            raise InvalidLabeling(
                f"{str(name)[:80]}: a rule of kind {kind} has no such part; there are {', '.join(known)}"
            )
    for name in needed:
        if given.get(name) in (None, ""):
            raise InvalidLabeling(f"{name}: there is none; a rule of kind {kind} needs {' and '.join(needed)}")
    rule = Rule(**{("from_" if name == "from" else str(name)): given[name] for name in given if given[name] != ""})
    _check(rule)
    return rule


def lasting_rules(given: object) -> tuple[dict[str, Any], ...]:
    """Rules of their JSON that keep filling a session, as they are stored: each says how far it looks back.

    Raises as :func:`rule_of`.
    """
    if isinstance(given, str) or not isinstance(given, Sequence) or len(given) > MOST_RULES:
        raise InvalidLabeling(f"rules: {brief(given)} is not a list of up to {MOST_RULES} rules")
    made = []
    for each in given:
        rule = rule_of(each)
        if rule.since is None and rule.from_ is None:
            rule = replace(rule, since=LASTING_SINCE)
        if rule.kind == RANDOM and rule.share is None and rule.maximum is None:
            raise InvalidLabeling(
                "share: there is none, and no maximum: give a share such as 0.01, or a maximum, or all would be drawn"
            )
        made.append(rule.to_json())
    return tuple(made)


def _check(rule: Rule) -> None:
    if rule.name is not None:
        plain_text("name", rule.name, _LONGEST_TEXT)
    if rule.threshold is not None and not (_is_number(rule.threshold) and math.isfinite(rule.threshold)):
        raise InvalidLabeling(f"threshold: {brief(rule.threshold)} is not a number")
    if rule.share is not None and not (_is_number(rule.share) and 0 < rule.share <= 1):
        raise InvalidLabeling(f"share: {brief(rule.share)} is not a number above 0 and up to 1")
    for argument, value, choices in (("weight", rule.weight, WEIGHTS), ("by", rule.by, STRATA)):
        if value is not None and value not in choices:
            raise InvalidLabeling(f"{argument}: {brief(value)} is not one of {', '.join(choices)}")
    for argument, number in (("each", rule.each), ("maximum", rule.maximum)):
        if number is not None and (not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= MOST):
            raise InvalidLabeling(f"{argument}: {brief(number)} is not a whole number from 1 to {MOST}")
    if rule.filter is not None:
        if not isinstance(rule.filter, str) or len(rule.filter) > _LONGEST_FILTER:
            raise InvalidLabeling(f"filter: {brief(rule.filter)} is not a filter of up to {_LONGEST_FILTER} characters")
        parse(rule.filter)
    if rule.since is not None:
        _seconds(rule.since)
        if rule.from_ is not None:
            raise InvalidLabeling("since: there is a from too; give one of the two")
    start, end = rule.window(0)
    if rule.since is None and start is not None and end is not None and start >= end:
        raise InvalidLabeling(f"to: {brief(rule.to)} is not after from, {brief(rule.from_)}")


def _seconds(since: object) -> int:
    match = re.fullmatch(r"([1-9][0-9]{0,5})([mhdw])", since) if isinstance(since, str) else None
    if match is None:
        raise InvalidLabeling(f"since: {brief(since)} is not a length of time; write 30m, 12h, 7d or 2w")
    return int(match[1]) * _UNITS[match[2]]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
