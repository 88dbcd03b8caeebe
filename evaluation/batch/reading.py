"""Reading subjects, many at a time, and of each only what the scorers look at."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from hansei.evaluation.batch.selection import AT_ONCE, Chosen
from hansei.evaluation.statements import statement
from hansei.evaluation.subject import Subject, SubjectKind
from hansei.evaluation.telemetry import SERVICE_NAME
from hansei.feedback.search.connection import Query
from hansei.feedback.search.stored import INPUTS, OUTPUTS, REQUEST_PREVIEW, RESPONSE_PREVIEW, Row
from hansei.feedback.search.trace import Trace
from hansei.feedback.search.traces import read_traces

_SPANS_AT_ONCE: Final = 5_000
_TAG: Final = "hansei.tag."
_MILLISECOND: Final = 1_000_000


def read_subjects(
    query: Query,
    kind: SubjectKind,
    chosen: Sequence[Chosen],
    needs: frozenset[str],
    expectations: Mapping[str, Mapping[str, Any]],
) -> Iterator[Subject]:
    """The subjects, of which a few more than whole traces fit in a piece are in memory. Raises ``SearchError``."""
    if kind == "session":
        yield from _sessions(query, chosen, expectations)
    elif "trace" in needs:
        for piece in _pieces(chosen):
            rows = [{"TraceId": each.subject_id, "Began": each.began, "LastBegan": each.last_began} for each in piece]
            traces = {trace.info.trace_id: trace for trace in read_traces(query, rows)}
            for each in piece:
                yield _whole(each, traces.get(each.subject_id), expectations.get(each.subject_id, {}))
    else:
        contents = _contents(query, chosen) if needs & {"inputs", "outputs"} else {}
        for each in chosen:
            yield _light(each, contents.get(each.subject_id, {}), expectations.get(each.subject_id, {}))


def _contents(query: Query, chosen: Sequence[Chosen]) -> dict[str, Row]:
    asked: dict[str, object] = {
        "inputs": [*INPUTS, REQUEST_PREVIEW],
        "outputs": [*OUTPUTS, RESPONSE_PREVIEW],
        "tag": _TAG,
        "from": min(each.began for each in chosen),
        "to": max(each.last_began for each in chosen),
    }
    wanted = [each.subject_id for each in chosen]
    found: dict[str, Row] = {}
    for name in ("contents_of_roots", "contents_of_first_spans"):
        rootless = [each for each in wanted if each not in found]
        if rootless:
            rows = query(statement("batch", name), {**asked, "trace_ids": rootless})
            found |= {row["TraceId"]: row for row in rows}
    return found


def _light(chosen: Chosen, row: Mapping[str, Any], expectations: Mapping[str, Any]) -> Subject:
    return Subject(
        kind="trace",
        subject_id=chosen.subject_id,
        inputs=_parsed(row.get("Inputs", "")),
        outputs=_parsed(row.get("Outputs", "")),
        expectations=expectations,
        session_id=chosen.session_id,
        tags={name.removeprefix(_TAG): text for name, text in row.get("Tags", {}).items()},
        time_ms=chosen.began // _MILLISECOND,
        weight=chosen.weight,
        revision=chosen.revision,
    )


def _whole(chosen: Chosen, trace: Trace | None, expectations: Mapping[str, Any]) -> Subject:
    return Subject(
        kind="trace",
        subject_id=chosen.subject_id,
        inputs=trace.info.request if trace else None,
        outputs=trace.info.response if trace else None,
        expectations=expectations,
        trace=trace,
        session_id=chosen.session_id,
        tags=trace.info.tags if trace else {},
        time_ms=chosen.began // _MILLISECOND,
        weight=chosen.weight,
        revision=chosen.revision,
    )


def _sessions(
    query: Query, chosen: Sequence[Chosen], expectations: Mapping[str, Mapping[str, Any]]
) -> Iterator[Subject]:
    for piece in _pieces(chosen):
        asked = {"session_ids": [each.subject_id for each in piece], "judging": SERVICE_NAME}
        rows: dict[str, list[Row]] = {}
        for row in query(statement("batch", "traces_of_sessions"), asked):
            rows.setdefault(row["SessionId"], []).append(row)
        everything = [row for of_one in rows.values() for row in of_one]
        traces: dict[str, Trace] = {}
        for start in range(0, len(everything), AT_ONCE):
            found = read_traces(query, everything[start : start + AT_ONCE])
            traces |= {trace.info.trace_id: trace for trace in found}
        for each in piece:
            ids = [row["TraceId"] for row in rows.get(each.subject_id, [])]
            yield Subject(
                kind="session",
                subject_id=each.subject_id,
                expectations=expectations.get(each.subject_id, {}),
                session=[traces[trace_id] for trace_id in ids if trace_id in traces],
                time_ms=each.began // _MILLISECOND,
                weight=each.weight,
                revision=each.revision,
            )


def _pieces(chosen: Sequence[Chosen]) -> Iterator[list[Chosen]]:
    """So many that their spans fit in memory."""
    piece: list[Chosen] = []
    spans = 0
    for each in chosen:
        if piece and (spans + each.spans > _SPANS_AT_ONCE or len(piece) >= AT_ONCE):
            yield piece
            piece, spans = [], 0
        piece.append(each)
        spans += each.spans
    if piece:
        yield piece


def _parsed(text: str) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
