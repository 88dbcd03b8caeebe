"""What stands around a list of traces: how many there were when, and what they can be filtered by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hansei.feedback.search.connection import Query
from hansei.feedback.search.filter_parser import parse_any
from hansei.feedback.search.filter_sql import root_conditions
from hansei.feedback.search.moment import Moment, nanoseconds
from hansei.feedback.search.slices import seconds
from hansei.feedback.search.statements import fill, statement

_FACETS: Final = 50


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bar of a histogram over time (nanoseconds)."""

    start_ns: int
    end_ns: int
    traces: int
    errors: int
    """Of them, those whose root failed."""
    negative: int
    """Of them, those that a person found bad: feedback that is false, zero or less."""


@dataclass(frozen=True, slots=True)
class Facets:
    """Values that occur, with how often, the most frequent first."""

    services: Sequence[tuple[str, int]]
    models: Sequence[tuple[str, int]]
    feedback_names: Sequence[tuple[str, int]]


def trace_histogram(
    query: Query, *, filter_string: str | None = None, start_time: Moment, end_time: Moment, buckets: int = 60
) -> list[Bucket]:
    """The traces that fit a filter, in stretches of equal length. Those whose root has not come are left out.

    Raises ``SearchError``.
    """
    start, end = nanoseconds("start_time", start_time), nanoseconds("end_time", end_time)
    width = max(-(-(end - start) // buckets), 1)
    conditions, parameters = root_conditions(parse_any(filter_string))
    sql = fill(
        statement("histogram_of_roots"), conditions="\n".join(f"    AND ({condition})" for condition in conditions)
    )
    asked = {**parameters, "from": start, "until": end, "width": width}
    counted = {row["Bucket"]: row for row in query(sql, asked)}
    made = []
    for number in range(buckets):
        row = counted.get(number, {})
        first = start + number * width
        made.append(
            Bucket(first, min(first + width, end), row.get("Traces", 0), row.get("Errors", 0), row.get("Negative", 0))
        )
    return made


def trace_facets(query: Query, *, start_time: Moment, end_time: Moment) -> Facets:
    """What traces of a time can be filtered by: up to 50 values each. Raises ``SearchError``."""
    start, end = nanoseconds("start_time", start_time), nanoseconds("end_time", end_time)
    asked = {
        "from": start, "until": end, "earliest": seconds(start), "latest": seconds(end), "limit": _FACETS
    }  # fmt: skip
    found = [
        [(row["Value"], row["Number"]) for row in query(statement(name), asked)]
        for name in ("services_seen", "models_called", "feedback_named")
    ]
    return Facets(*found)
