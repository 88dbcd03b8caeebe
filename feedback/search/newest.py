"""Walking back through traces, the newest first, no further than a page of a list takes.

A filter of one field rarely needs more than a look at the end of the table. So the walk takes what cheaply tells which
traces may fit (a condition on a row, a sum, what was said of traces), newest first, looks at each handful of them as a
whole, and stops once the page is full.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Final, TypeVar

from hansei.feedback.search.connection import Query
from hansei.feedback.search.filter_sql import Cost, ListConditions
from hansei.feedback.search.moment import END_OF_TIME
from hansei.feedback.search.slices import FIRST_SLICE, SECOND, seconds, slices, time_of_traces
from hansei.feedback.search.statements import fill, statement
from hansei.feedback.search.stored import Row

T = TypeVar("T")

LATEST: Final = 3600 * SECOND
"""Where a list begins in the middle, a trace is also found by what its spans say up to this long after it (ns)."""
SPREAD: Final = 6 * 3600 * SECOND
"""In a list a trace is put together from spans that began within this time of the one by which it was found (ns)."""
CALL_MOMENTS: Final = 20
"""Model calls of a trace of which ``summaries`` tells when they began, at most."""
_FIRST_LOOK: Final = 400
_SHORTEST_LOOK: Final = 32
"""Rows of the first look, then of one at an older stretch; each further one there takes twice as many, up to the
longest."""
_LONGEST_LOOK: Final = 3200
_FIRST_PIECE: Final = 64
_LARGEST_PIECE: Final = 512
"""Traces that are looked at as a whole at a time; each further piece is twice as large, as fewer fit than was hoped,
and four times where fewer than a quarter did."""
_APART: Final = 60 * SECOND
"""Of two traces that were met so long after each other the later is likely to have begun after the earlier (ns)."""
_TELLING: Final = 4
"""So many rows that were met tell how far apart the next will be."""
_FEW: Final = 32
_LONG: Final = 2 * 3600 * SECOND
"""More traces than these, of a longer time than this (ns), are read in two parts side by side."""
_FIRST_OF_SUMS: Final = 600 * SECOND
"""The first stretch in which sums are made: all calls in it are read, however many traces of them fit (ns)."""
_FIRST_OF_ASSESSED: Final = 4 * 3600 * SECOND
"""The first stretch of what was said: each look reads all that was ever said, so a second one is what costs (ns)."""

Together = Callable[..., list[Any]]
"""Runs some calls without arguments, and answers what each does."""


def one_by_one(*calls: Callable[[], Any]) -> list[Any]:
    """One after the other."""
    return [call() for call in calls]


@dataclass(frozen=True)
class Range:
    """Which traces: those that began from ``start`` to before ``end``, and are before ``(began, id)`` in the list."""

    start: int
    end: int
    before: tuple[int, str] = (END_OF_TIME, "")

    @property
    def newest(self) -> int:
        """No trace of it began at this moment or after."""
        return min(self.end, self.before[0] + 1, END_OF_TIME)

    def has(self, row: Row) -> bool:
        """Whether a trace is one of them."""
        return self.start <= row["Began"] < self.end and (row["Began"], row["TraceId"]) < self.before


@dataclass(frozen=True)
class _Piece:
    """Some traces that may fit, and where each has a span. Once they are looked at, no other that began at ``settled``
    or after can turn up."""

    places: dict[str, int]
    settled: int


_Walk = Iterator[_Piece]


@dataclass(frozen=True)
class Found:
    """The rows of ``summaries`` of the newest traces that fit, one more than were asked for where there are more."""

    rows: list[Row]
    searched_to: int | None = None
    """Where the walk was given up (ns); None where it was not."""


def newest_traces(
    query: Query,
    conditions: ListConditions,
    within: Range,
    limit: int,
    patience: float | None = None,
    together: Together = one_by_one,
) -> Found:
    """Walk until there are enough traces, or the seconds of ``patience`` are over.

    ``together`` may ask several questions at a time.
    """
    given_up = math.inf if patience is None else time.monotonic() + patience
    walk = _assessed if conditions.assessed else _sums if conditions.sums else partial(_rows, together)
    pieces = _Pieces(limit, given_up)
    pool: dict[str, Row] = {}
    seen: set[str] = set()
    done: list[Row] = []
    for piece in walk(query, conditions, within, pieces):
        fresh = {trace_id: at for trace_id, at in piece.places.items() if trace_id not in seen}
        seen.update(fresh)
        fitting = [row for row in _fitting(query, fresh, conditions, together) if within.has(row)]
        pieces.learn(len(fresh), len(fitting))
        pool.update((row["TraceId"], row) for row in fitting)
        done = [row for row in pool.values() if row["Began"] >= piece.settled]
        if len(done) > limit:
            break
        if time.monotonic() > given_up and piece.settled > within.start:
            return Found(newest_first(done), piece.settled)
    return Found(newest_first(done)[: limit + 1])


def _fitting(query: Query, places: dict[str, int], conditions: ListConditions, together: Together) -> list[Row]:
    """The rows of those of some traces that a walk met for which the whole filter holds."""
    halves = halves_if_far_apart(list(places.items()), lambda place: place[1])
    parts = [partial(summaries, query, dict(half), conditions) for half in halves]
    if not conditions.assessed or not places:
        return [row for rows in together(*parts) for row in rows]
    so, *read = together(partial(_assessed_so, query, conditions, list(places)), *parts)
    return [row for rows in read for row in rows if row["TraceId"] in so]


def halves_if_far_apart(them: Sequence[T], at: Callable[[T], int]) -> list[Sequence[T]]:
    """Traces that can be read at a time: of a long time each takes a while to be found, so halves do side by side."""
    if len(them) < _FEW or max(map(at, them)) - min(map(at, them)) < _LONG:
        return [them]
    in_order = sorted(them, key=at)
    middle = len(in_order) // 2
    return [in_order[:middle], in_order[middle:]]


def newest_first(rows: Sequence[Row]) -> list[Row]:
    """In the order of lists."""
    return sorted(rows, key=lambda row: (row["Began"], row["TraceId"]), reverse=True)


def summaries(query: Query, places: dict[str, int], conditions: ListConditions) -> list[Row]:
    """The rows of some traces that fulfil the conditions; ``places`` tells a moment of each."""
    if not places:
        return []
    having = "HAVING " + " AND ".join(map(_in_range, conditions.having)) if conditions.having else ""
    asked = {
        **conditions.parameters,
        "trace_ids": list(places),
        "call_moments": CALL_MOMENTS,
        "from": max(min(places.values()) - SPREAD, -END_OF_TIME),
        "until": min(max(places.values()) + SPREAD, END_OF_TIME),
    }
    return query(fill(statement("summaries"), having=having), asked)


def _in_range(condition: str) -> str:
    """A condition that asks for the model calls of some traces, of the time alone in which their other spans are."""
    among = "FROM genai_calls WHERE TraceId IN {trace_ids:Array(String)}"
    between = (
        "Timestamp >= fromUnixTimestamp64Nano({from:Int64}) AND Timestamp < fromUnixTimestamp64Nano({until:Int64})"
    )
    return condition.replace(among, f"{among} AND {between}")


def _rows(together: Together, query: Query, conditions: ListConditions, within: Range, pieces: "_Pieces") -> _Walk:
    """By the newest rows for which the condition holds."""
    condition = f"    AND ({conditions.row})" if conditions.row else ""
    known = time_of_traces(query)
    if within.newest < END_OF_TIME and within.newest <= known[1] and not conditions.at_start:
        yield from _crossing(query, conditions, within, pieces, condition)
    sql = fill(statement("newest_spans"), condition=condition)

    def look(lower: int, before: tuple[int, str], size: int) -> list[Row]:
        asked = {"from": lower, "before": before[0], "before_id": before[1], "limit": size}
        return query(sql, {**conditions.parameters, **asked})

    # Short stretches where reading takes a while: after each it can be given up.
    growth = 2 if conditions.cost is Cost.CONTENT else 8
    for stretch in _stretches(known, within, growth):
        parts = pieces.parts_of(*stretch)
        looks = together(*(partial(look, lower, (upper, ""), size) for lower, upper, size in parts))
        for (lower, _, size), found in zip(parts, looks, strict=True):
            while True:
                yield from pieces.of((row["TraceId"], row["At"], row["At"] + 1) for row in found)
                if len(found) < size:
                    break
                size = min(size * 2, _LONGEST_LOOK)
                found = look(lower, (found[-1]["At"], found[-1]["TraceId"]), size)
            yield from pieces.down_to(lower)
    yield from pieces.rest(within.start)


def _crossing(query: Query, conditions: ListConditions, within: Range, pieces: "_Pieces", condition: str) -> _Walk:
    """By rows that came after the newest moment of the list, of traces that began before it."""
    newest = within.newest
    asked = {
        **conditions.parameters,
        "from": newest,
        "until": min(newest + LATEST, END_OF_TIME),
        "earliest": seconds(newest - LATEST),
        "latest": seconds(newest),
    }
    found = query(fill(statement("crossing_spans"), condition=condition), asked)
    yield from pieces.of((row["TraceId"], newest, newest) for row in found)
    yield from pieces.rest(newest)


def _sums(query: Query, conditions: ListConditions, within: Range, pieces: "_Pieces") -> _Walk:
    """By what the model calls of a trace come to."""
    sql = fill(statement("traces_by_sums"), conditions=" AND ".join(conditions.sums))
    for lower, upper in _stretches(time_of_traces(query), within, first=_FIRST_OF_SUMS):
        # The calls of a trace that began in the stretch may reach beyond its end.
        asked = {"from": lower, "until": min(upper + LATEST, END_OF_TIME)}
        found = query(sql, {**conditions.parameters, **asked})
        # One that began before the stretch and has enough calls in it is met early, and kept for later.
        yield from pieces.of((row["TraceId"], row["At"], row["At"] + 1) for row in found)
        yield from pieces.down_to(lower)
    yield from pieces.rest(within.start)


def _assessed(query: Query, conditions: ListConditions, within: Range, pieces: "_Pieces") -> _Walk:
    """By what was said, or corrected, that the filter asks for."""
    sql = fill(
        statement("newest_assessed"),
        conditions="\n".join(f"    AND ({_may_fit(condition)})" for condition in conditions.assessed),
    )
    for lower, upper in _stretches(time_of_traces(query), within, first=_FIRST_OF_ASSESSED):
        offset, size = 0, _FIRST_LOOK
        while True:
            asked = {"earliest": seconds(lower), "latest": seconds(upper), "limit": size, "offset": offset}
            found = query(sql, {**conditions.parameters, **asked})
            yield from pieces.of(
                (row["TraceId"], row["Second"] * SECOND, (row["Second"] + 1) * SECOND) for row in found
            )
            if len(found) < size:
                break
            offset += size
            size = min(size * 2, _LONGEST_LOOK)
        yield from pieces.down_to(lower)
    yield from pieces.rest(within.start)


def _stretches(
    known: tuple[int, int, int], within: Range, growth: int = 8, first: int = FIRST_SLICE
) -> Iterator[tuple[int, int]]:
    """Stretches of time back from the newest span that may count, each longer than the one before.

    The newest part of the table holds a page of most filters. Asked for all of it, the engine begins to read each part.
    """
    oldest, newest, _ = known
    return slices(max(within.start, oldest), min(within.newest, newest + 1), growth, first)


def _assessed_so(query: Query, conditions: ListConditions, trace_ids: Sequence[str]) -> set[str]:
    """Which of some traces fulfil the conditions on their valid assessments."""
    untouched, touched = by_touch(query, trace_ids)
    found: set[str] = set()
    for chosen, judged in (
        (untouched, [_of_untouched(condition) for condition in conditions.assessed]),
        (touched, conditions.assessed),
    ):
        if chosen:
            sql = fill(statement("assessed_so"), conditions="\n".join(f"    AND {condition}" for condition in judged))
            found |= {row["TraceId"] for row in query(sql, {**conditions.parameters, "trace_ids": chosen})}
    return found


def by_touch(query: Query, trace_ids: Sequence[str]) -> tuple[list[str], list[str]]:
    """Some traces by whether anything was corrected, overridden or taken back: those of which nothing was, the others.

    What was said and never touched again holds, and takes no joining to be read.
    """
    if not trace_ids:
        return [], []
    touched = {row["TraceId"] for row in query(statement("touched_traces"), {"trace_ids": list(trace_ids)})}
    return [each for each in trace_ids if each not in touched], sorted(touched)


def _of_untouched(condition: str) -> str:
    """A condition on valid assessments, for traces of which nothing was touched."""
    return condition.replace("FROM feedback WHERE", "FROM feedback_state FINAL WHERE").replace("} AND Valid", "}")


def _may_fit(condition: str) -> str:
    """A condition on valid assessments, made wider: on all that was said, which takes no joining."""
    wider = condition.replace("TraceId IN {trace_ids:Array(String)} AND Valid", "true")
    wider = wider.replace("FROM feedback WHERE", "FROM feedback_state WHERE")
    return (
        f"{wider} OR TraceId IN (SELECT TraceId FROM feedback_changes) "
        "OR TraceId IN (SELECT TraceId FROM feedback_state WHERE Overrides != '' AND Name = '')"
    )


class _Pieces:
    """A few traces at a time: a page is often full before all that was found is looked at."""

    def __init__(self, limit: int, hurry_from: float) -> None:
        """``limit``: traces of the page; from ``hurry_from`` on nothing waits."""
        self._limit = limit
        self._hurry_from = hurry_from
        self._rows = 0
        self._met = 0
        self._newest: int | None = None
        self._places: dict[str, int] = {}
        self._settled = 0
        self._size = _FIRST_PIECE
        self._growth = 2

    def of(self, found: Iterable[tuple[str, int, int]]) -> _Walk:
        """The pieces that are full, of traces with a moment of each and what is settled after it."""
        for trace_id, at, settled in found:
            # What began in the same second is settled together: it should be in the same piece.
            if self._full(at) and (settled < self._settled or len(self._places) >= 2 * self._size):
                yield from self._next(settled)
            self._settled = settled
            self._rows += 1
            if trace_id not in self._places:
                self._places[trace_id] = at
                self._met += 1
        if len(self._places) >= self._size:
            yield from self._next(self._settled)

    def _full(self, at: int) -> bool:
        """Whether what was met down to a moment is worth a look: a piece, or a page of traces that are long over."""
        if len(self._places) >= self._size:
            return True
        last = next(islice(self._places.values(), self._limit, None), None)
        return self._met == len(self._places) and last is not None and last - at >= _APART

    def _next(self, settled: int) -> _Walk:
        yield _Piece(self._places, settled)
        self._places, self._size = {}, min(self._size * self._growth, _LARGEST_PIECE)

    def learn(self, looked_at: int, fitting: int) -> None:
        """How many traces of the last piece fit: the fewer, the larger is the next."""
        self._growth = 4 if fitting * 4 < looked_at else 2

    @property
    def rows_to_go(self) -> int:
        """How many more rows should do, by what was met so far."""
        if not self._met:
            return _FIRST_LOOK
        missing = max(self._limit + 1 - self._met, 0)
        return min(max(missing * self._rows * 5 // (4 * self._met), _SHORTEST_LOOK), _LONGEST_LOOK)

    def parts_of(self, lower: int, upper: int) -> list[tuple[int, int, int]]:
        """The parts of a stretch to look at side by side, the newest first, and the rows that should do for each.

        They are two where what was met so far tells that both are needed: few rows are spread over a long time, and it
        takes long to read each. Each should hold a little more than half of what is missing.
        """
        if self._newest is None:
            self._newest = upper
        missing, size = self._limit + 1 - self._met, self.rows_to_go
        if self._rows >= _TELLING and missing >= _FEW:
            middle = upper - (self._newest - upper) * missing * 9 // (16 * self._met)
            if middle > lower:
                return [(middle, upper, size), (lower, middle, size * 9 // 16)]
        return [(lower, upper, size)]

    def down_to(self, moment: int) -> _Walk:
        """That a stretch has been walked through: what waits may wait, unless it may fill the page, or time is over."""
        if not self._places or self._met > self._limit or time.monotonic() > self._hurry_from:
            yield from self.rest(moment)

    def rest(self, moment: int) -> _Walk:
        """What is left at the end."""
        yield _Piece(self._places, moment)
        self._places = {}
