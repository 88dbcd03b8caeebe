"""From the ids of traces to records: what went in and out, and what was said of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from hansei.evaluation.datasets.given import Given
from hansei.evaluation.json_text import json_or_text
from hansei.evaluation.statements import statement
from hansei.feedback.search.connection import Query
from hansei.feedback.search.statements import fill
from hansei.feedback.search.statements import statement as search_statement
from hansei.feedback.search.stored import INPUTS, OUTPUTS, REQUEST_PREVIEW, RESPONSE_PREVIEW

_AT_ONCE: Final = 500
_TAG: Final = "hansei.tag."
_EXPECTATIONS: Final = (
    "    AND TraceId IN {trace_ids:Array(String)} AND Kind = 'expectation' AND Valid\n"
    "    AND ({session_id:String} = '' OR LabelingSessionId = {session_id:String})\n"
)
_ALL: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class FromTraces:
    """Records made of traces, and how many could not be made."""

    records: Sequence[Given]
    unknown: int
    """Of these traces and spans nothing is stored."""
    without_inputs: int


def from_traces(query: Query, given: Sequence[Given], labeling_session_id: str = "") -> FromTraces:
    """The records with the inputs, outputs and tags of their traces, under what is given beside these.

    A record that has inputs is as it is. What was said of a trace comes with it: all, or what was said in one labeling
    session. Raises ``SearchError``.
    """
    records: list[Given] = []
    unknown = without_inputs = 0
    for start in range(0, len(given), _AT_ONCE):
        piece = given[start : start + _AT_ONCE]
        wanted = [each for each in piece if each.inputs is None]
        contents = _contents(query, wanted) if wanted else {}
        said = _said(query, sorted({each.trace_id for each in wanted}), labeling_session_id) if wanted else {}
        for each in piece:
            if each.inputs is not None:
                records.append(each)
                continue
            row = contents.get((each.trace_id, each.span_id))
            if row is None:
                unknown += 1
            elif row["Inputs"] in ("", "null"):
                without_inputs += 1
            else:
                records.append(_filled(each, row, said.get(each.trace_id, [])))
    return FromTraces(records, unknown, without_inputs)


def _contents(query: Query, wanted: Sequence[Given]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """By trace and span; of the whole trace, without a span, it is its first span's."""
    spans = [each for each in wanted if each.span_id]
    asked = {
        "trace_ids": sorted({each.trace_id for each in wanted}),
        "span_trace_ids": [each.trace_id for each in spans],
        "span_ids": [each.span_id for each in spans],
        "inputs": [*INPUTS, REQUEST_PREVIEW],
        "outputs": [*OUTPUTS, RESPONSE_PREVIEW],
        "tag": _TAG,
    }
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for row in query(statement("datasets", "contents_of_traces"), asked):
        found[row["TraceId"], row["SpanId"]] = row
        if row["IsFirst"]:
            found[row["TraceId"], ""] = row
    return found


def _said(query: Query, trace_ids: Sequence[str], labeling_session_id: str) -> dict[str, list[Mapping[str, Any]]]:
    sql = fill(search_statement("assessments"), conditions=_EXPECTATIONS)
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in query(sql, {"trace_ids": trace_ids, "session_id": labeling_session_id, "limit": _ALL}):
        found.setdefault(row["TraceId"], []).append(row)
    return found


def _filled(given: Given, row: Mapping[str, Any], said: Sequence[Mapping[str, Any]]) -> Given:
    tags = {name.removeprefix(_TAG): text for name, text in row["Tags"].items()}
    return replace(
        given,
        inputs=json_or_text(row["Inputs"]),
        outputs=given.outputs if given.outputs is not None or not row["Outputs"] else json_or_text(row["Outputs"]),
        tags={**tags, **given.tags},
        session_id=given.session_id or row["SessionId"],
        said=[each for each in said if each["SpanId"] == given.span_id],
    )
