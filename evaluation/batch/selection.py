"""Which subjects a run looks at: in pages by the time at which they ended, so that memory does not grow with them."""

import heapq
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hansei.evaluation.batch.config import Shard, Subjects
from hansei.evaluation.batch.window import MILLISECOND, Window
from hansei.evaluation.statements import statement
from hansei.evaluation.telemetry import SERVICE_NAME
from hansei.feedback.search.connection import Query
from hansei.feedback.search.filter_fields import SESSIONS
from hansei.feedback.search.filter_parser import parse
from hansei.feedback.search.filter_sql import session_condition, trace_conditions
from hansei.feedback.search.slices import LONGEST, SECOND, seconds
from hansei.feedback.sql_blocks import fill

AT_ONCE: Final = 1_000
"""Ids of a question: they stand in its address."""
_LONGEST_ADDRESS: Final = 60_000
"""Characters of these."""
_PAGE: Final = 8_000
"""Subjects that are asked for at a time."""
_FIRST_STRETCH: Final = 300 * SECOND
_GROWTH: Final = 8
"""A stretch that holds little is followed by one that is longer, by so much at most."""
_DRAWS: Final = 2.0**64


@dataclass(frozen=True, slots=True)
class Chosen:
    """A subject that is to be scored. Times in nanoseconds since 1970."""

    subject_id: str
    began: int
    last_began: int
    """When the last of its spans began."""
    ended: int
    spans: int
    session_id: str | None
    weight: float
    again: bool
    """Whether a run before has seen it."""

    @property
    def revision(self) -> str:
        """Changes when spans come late."""
        return f"{self.spans}-{self.ended}"


@dataclass(frozen=True, slots=True)
class Page:
    """Some subjects in the order of their ends."""

    chosen: Sequence[Chosen]
    seen: int
    """How many there were before some were drawn; of those that no run has seen before."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """Which are drawn: those with a draw below ``bound``."""

    bound: float
    weight: float


def in_chunks(chosen: Sequence[Chosen]) -> Iterator[Sequence[Chosen]]:
    """So many that one question can name them."""
    start, characters = 0, 0
    for place, each in enumerate(chosen):
        characters += len(each.subject_id)
        if place > start and (place - start >= AT_ONCE or characters > _LONGEST_ADDRESS):
            yield chosen[start:place]
            start, characters = place, len(each.subject_id)
    if start < len(chosen):
        yield chosen[start:]


class Selection:
    """The subjects of a window. The same window, seed and shard give the same, whoever asks."""

    def __init__(self, query: Query, subjects: Subjects, window: Window, shard: Shard | None = None) -> None:
        self._query = query
        self._subjects = subjects
        self._window = window
        self._shard = shard

    def pages(self) -> Generator[Page, None, None]:
        """Page by page, each asked for when it is taken. Raises ``SearchError``."""
        rule = self._rule()
        start = self._window.start * MILLISECOND
        for rows in self._rows(self._window.look_from * MILLISECOND, self._shard):
            seen = sum(row["Ended"] >= start for row in rows)
            chosen = [
                Chosen(
                    row["SubjectId"], row["Began"], row["LastBegan"], row["Ended"], row["Spans"],
                    row["SessionId"] or None, rule.weight, row["Ended"] < start,
                )
                for row in rows
                if row["Draw"] / _DRAWS < rule.bound
            ]  # fmt: skip
            yield Page(chosen, seen)

    def _rule(self) -> _Rule:
        sample = self._subjects.sample
        if sample.limit is None:
            return _Rule(sample.rate if sample.rate < 1 else 2.0, 1 / sample.rate)
        return self._smallest(sample.limit)

    def _smallest(self, limit: int) -> _Rule:
        """So that as many are drawn as are wanted: those with the smallest draws, over all shards."""
        largest_first: list[float] = []
        count = 0
        for rows in self._rows(self._window.start * MILLISECOND, None):
            for row in rows:
                count += 1
                draw = row["Draw"] / _DRAWS
                if len(largest_first) < limit + 1:
                    heapq.heappush(largest_first, -draw)
                elif draw < -largest_first[0]:
                    heapq.heapreplace(largest_first, -draw)
        if count <= limit:
            return _Rule(2.0, 1.0)
        return _Rule(-largest_first[0], count / limit)

    def _rows(self, start: int, shard: Shard | None) -> Iterator[list[dict[str, Any]]]:
        sql, parameters = self._statement(shard)
        end = self._window.end * MILLISECOND
        lower, length = start, _FIRST_STRETCH
        after = (0, "")
        while lower < end:
            upper = min(lower + length, end)
            rows = self._query(sql, {**parameters, **_stretch(lower, upper), "after": after[0], "after_id": after[1]})
            if rows:
                yield rows
            if len(rows) < _PAGE:
                length = (upper - lower) * min(max(_PAGE // (len(rows) + 1), 1), _GROWTH)
                lower = upper
            else:
                # As long as it took for this page.
                length = max(rows[-1]["Ended"] - lower, 1)
                lower = rows[-1]["Ended"]
                after = (lower, rows[-1]["SubjectId"])

    def _statement(self, shard: Shard | None) -> tuple[str, dict[str, object]]:
        subjects = self._subjects
        by_trace = subjects.kind == "traces"
        column = "TraceId" if by_trace else "ConversationId"
        wanted = [f"{column} != ''", "ServiceName != {judging:String}"]
        parameters: dict[str, object] = {
            "limit": _PAGE, "seed": str(subjects.sample.seed), "judging": SERVICE_NAME
        }  # fmt: skip
        if shard is not None:
            wanted.append(f"sipHash64('shard', {column}) % {{shards:UInt32}} = {{shard:UInt32}}")
            parameters |= {"shards": shard.of, "shard": shard.number - 1}
        ending = fill(statement("batch", "ending_spans"), id=column, conditions=" AND ".join(wanted))
        conditions, more = _trace_filter(subjects) if by_trace else _session_filter(subjects)
        sql = statement("batch", "traces_that_ended" if by_trace else "sessions_that_ended")
        lines = "\n".join(f"    AND {condition}" for condition in conditions)
        return fill(sql, ending=ending, conditions=lines, rows=lines), {**parameters, **more}


def _stretch(lower: int, upper: int) -> dict[str, object]:
    return {
        "from": lower,
        "until": upper,
        "earliest": seconds(lower - 2 * LONGEST),
        "latest": seconds(upper + LONGEST),
    }


def _trace_filter(subjects: Subjects) -> tuple[list[str], dict[str, object]]:
    """Conditions on the spans of a trace together."""
    parameters: dict[str, object] = {}
    conditions = []
    if subjects.filter:
        made = trace_conditions(parse(subjects.filter))
        parameters |= made.parameters
        conditions += [f"countIf({condition}) > 0" for condition in made.spans]
        conditions += [*map(_of_candidates, made.traces), *map(_of_candidates, made.having)]
    if subjects.where:
        conditions.append(f"countIf(\n{subjects.where}\n) > 0")
    if subjects.services:
        parameters["services"] = list(subjects.services)
        conditions.append("countIf(ServiceName IN {services:Array(String)}) > 0")
    return conditions, parameters


def _of_candidates(condition: str) -> str:
    """A condition that asks for the assessments of the candidates alone."""
    return condition.replace(
        "FROM feedback WHERE ", "FROM feedback WHERE TraceId IN (SELECT TraceId FROM candidates) AND "
    )


def _session_filter(subjects: Subjects) -> tuple[list[str], dict[str, object]]:
    """A condition on the conversation, by its row of genai_sessions."""
    parameters: dict[str, object] = {}
    conditions = []
    if subjects.filter:
        condition, parameters = session_condition(parse(subjects.filter, SESSIONS))
        conditions.append(condition)
    if subjects.where:
        conditions.append(f"(\n{subjects.where}\n)")
    if subjects.services:
        parameters = {**parameters, "services": list(subjects.services)}
        conditions.append("ServiceName IN {services:Array(String)}")
    if not conditions:
        return [], {}
    lines = " AND ".join(conditions)
    return [
        "ConversationId IN (SELECT SessionId FROM genai_sessions "
        f"WHERE SessionId IN (SELECT SessionId FROM candidates) AND {lines})"
    ], parameters
