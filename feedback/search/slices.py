"""Looking back through time in stretches, the newest first: what is asked for is mostly new."""

from collections.abc import Iterator
from typing import Final

from hansei.feedback.search.connection import Query
from hansei.feedback.search.statements import statement

SECOND: Final = 10**9
LONGEST: Final = 24 * 3600 * SECOND
"""A trace is put together from spans that begin within this time of each other (nanoseconds)."""
FIRST_SLICE: Final = 3600 * SECOND
"""The length of the first stretch (nanoseconds)."""


def time_of_traces(query: Query) -> tuple[int, int, int]:
    """When the first and the last of all spans began (ns), and how many spans there are; zeros where there is none."""
    (known,) = query(statement("time_of_traces"), {})
    oldest, newest, spans = known.values()
    return oldest, newest, spans


def slices(start: int, end: int, growth: int = 8, first: int = FIRST_SLICE) -> Iterator[tuple[int, int]]:
    """Stretches of time that follow each other back from the end to the start, each longer than the one before."""
    length = first
    while end > start:
        lower = max(start, end - length)
        yield lower, end
        end, length = lower, length * growth


def seconds(ticks: int) -> int:
    """What the table of traces' times can hold: 1970 to 2106."""
    return min(max(ticks // SECOND, 0), 2**32 - 1)
