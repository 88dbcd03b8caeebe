"""From what a visitor picked to one filter in MLflow's language."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from hansei.feedback.pages.trace_list_address import ListAddress
from hansei.feedback.search.errors import FilterError, InvalidSearch
from hansei.feedback.search.filter_parser import parse
from hansei.feedback.search.filter_tree import Comparison, Field, Or, Scalar

_WORDS: Final = re.compile(r"[A-Za-z0-9 ]*[A-Za-z0-9][A-Za-z0-9 ]*")
_QUOTED: Final = re.compile(r'"(.+)"', re.DOTALL)
_SAID: Final = re.compile(r"(.+?)(>=|<=|[:=<>])(.*)", re.DOTALL)
_NUMBER: Final = re.compile(r"[+-]?\d{1,15}(\.\d{1,15})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Facet:
    """One thing that was picked: ``key`` and ``value`` as in the address, and how people read it."""

    key: str
    value: str
    label: str
    shown: str
    condition: str
    """The part of the filter; empty where the value cannot be used."""


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """All that was picked."""

    facets: Sequence[Facet]
    text: str
    """One filter; empty where nothing was picked."""
    problems: Sequence[str]
    """What cannot be used, a line each."""
    filter_error: str
    """What is wrong with the text that the visitor wrote, with its place; empty where nothing is."""

    @property
    def usable(self) -> bool:
        """Whether it can be searched with."""
        return not self.problems and not self.filter_error


def filter_of(address: ListAddress) -> TraceFilter:
    """The filter of an address. Raises nothing: what is wrong is said in it."""
    facets: list[Facet] = []
    problems: list[str] = []
    for key, value in address.pairs:
        if key not in _PICKED:
            continue
        label, made = _PICKED[key]
        shown, condition = value, ""
        try:
            comparison, shown = made(value)
            condition = str(comparison)
            # What cannot be stored cannot be looked for.
            parse(condition)
        except FilterError as error:
            problems.append(f"{label}: {error.problem}")
            condition = ""
        except InvalidSearch as error:
            problems.append(str(error))
        facets.append(Facet(key, value, label, shown, condition))
    written, filter_error = address.get("q"), ""
    if written:
        condition = ""
        try:
            condition = f"({written})" if isinstance(parse(written), Or) else written
        except FilterError as error:
            filter_error = str(error)
        facets.append(Facet("q", written, "filter", written, condition))
    text = " AND ".join(facet.condition for facet in facets if facet.condition)
    # Alone it needs no parentheses.
    return TraceFilter(facets, written if text == f"({written})" else text, problems, filter_error)


Made = tuple[Comparison, str]


def _equal(field: str) -> Callable[[str], Made]:
    return lambda value: (Comparison(Field(field), "=", value), value)


def _status(value: str) -> Made:
    if value.upper() not in ("OK", "ERROR"):
        raise InvalidSearch(f"status: {value!r} is not one of ok, error")
    return Comparison(Field("trace.status"), "=", value.upper()), value.lower()


def _at_least(field: str, key: str, shown: str) -> Callable[[str], Made]:
    def made(value: str) -> Made:
        number = _number(value)
        if number is None or number < 0 or isinstance(number, str):
            raise InvalidSearch(f"{key}: {value!r} is not a number, zero or more; write one such as 0.5 or 2000")
        return Comparison(Field(field), ">=", number), shown.format(value)

    return made


def _feedback(value: str) -> Made:
    """``name``, ``name:value``, or ``name>=value`` with any order."""
    match = _SAID.fullmatch(value)
    if match is None:
        return Comparison(Field("feedback.name"), "=", value), f"{value} given"
    name, sign, said = match[1].strip(), match[2], match[3].strip()
    number = _number(said)
    if sign in ":=":
        known: Scalar = said if number is None else number
        if said.lower() in ("true", "false"):
            known = said.lower() == "true"
        return Comparison(Field("feedback", name), "=", known), f"{name} is {said}"
    if number is None:
        raise InvalidSearch(f"feedback: {said!r} is not a number; write {name}{sign}0.5")
    return Comparison(Field("feedback", name), sign, number), f"{name} {sign} {said}"


def _attribute(value: str) -> Made:
    """``key`` or ``key=value``."""
    key, equals, wanted = (part.strip() for part in value.partition("="))
    if not key:
        raise InvalidSearch("attribute: there is no key; write key=value, or a key alone")
    if not equals:
        return Comparison(Field("span.attributes", key), "IS NOT NULL", None), f"{key} present"
    return Comparison(Field("span.attributes", key), "=", wanted), f"{key} = {wanted}"


def _assessed(value: str) -> Made:
    if value not in ASSESSED_BY:
        raise InvalidSearch(f"assessed: {value!r} is not one of {', '.join(ASSESSED_BY)}")
    comparison, _ = ASSESSED_BY[value]
    return comparison, value


def _contains(value: str) -> Made:
    """Whole words, which an index may find; what is quoted, or has other signs in it, is looked for as it is."""
    if _WORDS.fullmatch(value):
        return Comparison(Field("words"), "~", value), value
    quoted = _QUOTED.fullmatch(value)
    return Comparison(Field("text"), "~", quoted[1] if quoted else value), value


def _number(text: str) -> int | float | None:
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return int(number) if math.isfinite(number) and number.is_integer() else number


ASSESSED_BY: Final[dict[str, tuple[Comparison, str]]] = {
    "anyone": (Comparison(Field("feedback.name"), "LIKE", "%"), "anyone"),
    **{
        value: (Comparison(Field("assessed_by"), "=", source), label)
        for value, source, label in (
            ("human", "HUMAN", "a person"), ("judge", "LLM_JUDGE", "a judge"), ("code", "CODE", "code"),
        )
    },
}  # fmt: skip
"""Who gave feedback: values of the address, with their part of the filter and what they are called."""
_PICKED: Final[dict[str, tuple[str, Callable[[str], Made]]]] = {
    "text": ("text", _contains),
    "service": ("service", _equal("service")),
    "model": ("model", _equal("model")),
    "status": ("status", _status),
    "min_ms": ("latency", _at_least("trace.execution_time_ms", "min_ms", "≥ {} ms")),
    "min_cost": ("cost", _at_least("cost", "min_cost", "≥ ${}")),
    "feedback": ("feedback", _feedback),
    "assessed": ("assessed by", _assessed),
    "user": ("user", _equal("user")),
    "session": ("session", _equal("session")),
    "attr": ("attribute", _attribute),
}
"""Keys of the address: how a visitor reads them, and what makes a part of the filter."""
