"""Reading traces that are known by their ids, many at a time."""

from collections.abc import Iterable, Iterator
from typing import Final

from hansei.feedback.search.arguments import trace_id_of
from hansei.feedback.search.connection import Query, connections
from hansei.feedback.search.slices import SECOND
from hansei.feedback.search.statements import statement
from hansei.feedback.search.stored import Row
from hansei.feedback.search.trace import Trace
from hansei.feedback.search.traces import read_trace, read_traces
from hansei.feedback.search.waiting import wait_for

_AT_ONCE: Final = 100
"""Traces of one question."""
_TOLD: Final = range(2**32 * SECOND)
"""The times of spans by which partitions are told apart (ns): others, of a wrong clock, are in no stretch of time."""


def get_traces(trace_ids: Iterable[str], *, wait: float | None = None) -> dict[str, Trace]:
    """Traces with their spans and assessments, by their ids; those that are not there are left out.

    With ``wait`` they are asked for again, for so many seconds, until the root of each is there; what has come by then
    is answered. Raises ``SearchError``.
    """
    wanted = list(dict.fromkeys(map(trace_id_of, trace_ids)))
    found: dict[str, Trace] = {}

    def rootless() -> list[str]:
        return [trace_id for trace_id in wanted if trace_id not in found or not _has_root(found[trace_id])]

    def read() -> None:
        missing = rootless()
        for begin in range(0, len(missing), _AT_ONCE):
            traces = _read(connections.query, missing[begin : begin + _AT_ONCE])
            found.update((trace.info.trace_id, trace) for trace in traces)

    wait_for(read, lambda _: not rootless(), wait)
    return found


def _has_root(trace: Trace) -> bool:
    return any(span.parent_id is None for span in trace.spans)


def _read(query: Query, trace_ids: list[str]) -> Iterator[Trace]:
    told: list[Row] = []
    for row in query(statement("times_of_traces"), {"trace_ids": trace_ids}):
        if _TOLD.start <= row["Began"] and row["LastBegan"] < _TOLD.stop:
            told.append(row)
        elif trace := read_trace(query, row["TraceId"]):
            yield trace
    yield from read_traces(query, told)
