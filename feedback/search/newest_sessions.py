"""The newest sessions, without putting all of a time together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from hansei.feedback.search.connection import Query
from hansei.feedback.search.slices import slices, time_of_traces
from hansei.feedback.search.statements import statement
from hansei.feedback.search.stored import Row

_LOOKS: Final = 3
"""Handfuls that are looked at: where so few of them fit, to read all sessions of the time takes no longer."""
_GROWTH: Final = 4
"""Each handful is so many times as large as the one before; the first is two pages."""
_LARGEST: Final = 2_000
"""Sessions of a handful; of more, most are found in every part of the table."""

ReadSome = Callable[[Sequence[str]], list[Row]]
"""Of some sessions, by their ids, the rows of those that fit, each with when it ``Began``."""


def newest_sessions(query: Query, read: ReadSome, start: int, end: int, limit: int) -> list[Row] | None:
    """The newest of the sessions that fit and began from ``start`` to before ``end`` (ns), one more than ``limit``.

    None where a few looks did not find so many, or would be too large. The first span of a session is where it began;
    so among those that have a span in a stretch of time, by when the first of these began, each session is met no later
    than where it began.
    """
    if 2 * (limit + 1) > _LARGEST:
        return None
    met: set[str] = set()
    found: list[Row] = []
    for some, settled in islice(_handfuls(query, start, end, limit), _LOOKS):
        found += read([session_id for session_id in some if session_id not in met])
        met.update(some)
        done = [row for row in found if row["Began"] > settled]
        if len(done) > limit:
            return sorted(done, key=_place, reverse=True)[: limit + 1]
    return None


def _handfuls(query: Query, start: int, end: int, limit: int) -> Iterator[tuple[list[str], int]]:
    """Sessions by where they are met, and the moment (ns) after which none began that is yet to come."""
    oldest, newest, _ = time_of_traces(query)
    size = 2 * (limit + 1)
    for lower, upper in slices(max(start, oldest), min(end, newest + 1)):
        before = (upper, "")
        while True:
            # One more tells where the next handful begins.
            asked = {"from": lower, "until": upper, "before": before[0], "before_id": before[1], "limit": size + 1}
            rows = query(statement("sessions_by_first_span"), asked)
            if rows:
                settled = rows[size]["At"] if len(rows) > size else lower - 1
                yield [row["SessionId"] for row in rows[:size]], settled
            if len(rows) <= size:
                break
            before = (rows[size - 1]["At"], rows[size - 1]["SessionId"])
            size = min(size * _GROWTH, _LARGEST)


def _place(row: Mapping[str, object]) -> tuple[object, object]:
    return row["Began"], row["SessionId"]
