"""What is evaluated: rows, made of whatever form data comes in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from hansei.evaluation.datasets.dataset import Dataset
from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.expectations import OnConflict, expected_of
from hansei.evaluation.json_text import is_missing, json_or_text
from hansei.feedback.labeling.labeling_session import LabelingSession
from hansei.feedback.labeling.texts import brief
from hansei.feedback.search.arguments import trace_id_of
from hansei.feedback.search.connection import connections
from hansei.feedback.search.many_traces import get_traces
from hansei.feedback.search.trace import Trace
from hansei.feedback.search.traces import Traces, search_traces

_FORMS: Final = (
    "give a DataFrame or a list of dicts with inputs, outputs and expectations, traces, a labeling session, a dataset, "
    "a filter, or a SELECT"
)
_COLUMNS: Final = ("inputs", "outputs", "expectations", "tags", "trace", "trace_id", "session_id", "record_id")
_JSON: Final = ("inputs", "outputs", "expectations")
_LARGEST_SEARCH: Final = 10_000
"""Traces that a filter or a labeling session may bring."""


@dataclass(frozen=True, slots=True)
class DataRow:
    """A row of data, before anything has been asked of it."""

    inputs: Any = None
    outputs: Any = None
    has_outputs: bool = False
    expectations: Mapping[str, Any] = field(default_factory=dict)
    expected_by: Mapping[str, Any] = field(default_factory=dict)
    conflicts: Sequence[str] = ()
    """Expectations about which people disagree, and that are left out for it."""
    tags: Mapping[str, str] = field(default_factory=dict)
    trace: Trace | None = None
    trace_id: str = ""
    session_id: str = ""
    record_id: str = ""


@dataclass(frozen=True, slots=True)
class Data:
    """Rows, and what they are known as."""

    rows: Sequence[DataRow]
    name: str = ""
    dataset: tuple[str, int] | None = None
    """Its id and version."""
    labeling_session_id: str = ""


def data_of(given: object, on_conflict: OnConflict) -> Data:
    """Rows of data in any form. Raises ``InvalidEvaluation``, and what reading raises."""
    if isinstance(given, Dataset):
        return Data(_rows(given.rows(), on_conflict), given.name, (given.dataset_id, given.version))
    if isinstance(given, LabelingSession):
        traces = _all_of(
            search_traces(labeling_session=given.labeling_session_id, max_results=_LARGEST_SEARCH, return_type="list")
        )
        return Data([_of_trace(each, on_conflict) for each in traces], given.name, None, given.labeling_session_id)
    if isinstance(given, str):
        return Data(_asked(given, on_conflict))
    if isinstance(given, Trace):
        return Data([_of_trace(given, on_conflict)])
    return Data(_rows(_each(given), on_conflict))


def _asked(text: str, on_conflict: OnConflict) -> list[DataRow]:
    """The rows of a SELECT, or the traces of a filter."""
    first = text.split(None, 1)[0].upper() if text.strip() else ""
    if first in ("SELECT", "WITH"):
        return _rows(map(_named, connections.query(text, {})), on_conflict)
    traces = _all_of(search_traces(filter_string=text, max_results=_LARGEST_SEARCH, return_type="list"))
    return [_of_trace(each, on_conflict) for each in traces]


def _all_of(traces: Traces) -> Traces:
    if traces.next_page_token is not None:
        raise InvalidEvaluation(
            f"data: there are more than {_LARGEST_SEARCH} traces; narrow the filter, or run a batch (hansei evaluate)"
        )
    return traces


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the tables under our names; texts that are JSON are parsed."""
    names = {"traceid": "trace_id", "sessionid": "session_id", "conversationid": "session_id"}
    found = {names.get(column.lower(), column.lower()): value for column, value in row.items()}
    return {
        name: json_or_text(value) if isinstance(value, str) and name in _JSON else value
        for name, value in found.items()
        if name in _COLUMNS
    }


def _each(given: Any) -> Iterable[object]:
    if hasattr(given, "columns") and hasattr(given, "to_dict"):
        return [
            {name: value for name, value in record.items() if not is_missing(value)}
            for record in given.to_dict("records")
        ]
    if isinstance(given, Mapping) or not isinstance(given, Iterable):
        raise InvalidEvaluation(f"data: {brief(given)} is none; {_FORMS}")
    return given


def _rows(given: Iterable[object], on_conflict: OnConflict) -> list[DataRow]:
    """A row for each; the traces that are named by their ids are read together."""
    everything = list(given)
    for position, each in enumerate(everything):
        if not isinstance(each, Trace | Mapping):
            raise InvalidEvaluation(f"data: row {position} is {brief(each)}; {_FORMS}")
    named = {position: _named_trace(each) for position, each in enumerate(everything) if isinstance(each, Mapping)}
    traces = get_traces(trace_id for trace_id in named.values() if trace_id)
    made = []
    for position, each in enumerate(everything):
        if isinstance(each, Mapping):
            trace_id = named[position]
            trace = each["trace"] if isinstance(each.get("trace"), Trace) else traces.get(trace_id)
            made.append(_of_mapping(each, position, trace_id, trace, on_conflict))
        elif isinstance(each, Trace):
            made.append(_of_trace(each, on_conflict))
    return made


def _named_trace(given: Mapping[str, Any]) -> str:
    """The id of the trace that has to be read for a row."""
    trace = given.get("trace")
    if isinstance(trace, Trace):
        return ""
    if given.get("trace_id"):
        return trace_id_of(str(given["trace_id"]))
    # As text, in the frame of a search that was stored and read back.
    told = json_or_text(trace) if isinstance(trace, str) else trace
    return trace_id_of(told["info"]["trace_id"]) if isinstance(told, Mapping) and "info" in told else ""


def _of_mapping(
    given: Mapping[str, Any], position: int, trace_id: str, trace: Trace | None, on_conflict: OnConflict
) -> DataRow:
    """``trace`` is the one of the row, or the one with ``trace_id``, where that is there."""
    if trace is not None:
        row = _of_trace(trace, on_conflict)
    elif trace_id:
        if "inputs" not in given:
            raise InvalidEvaluation(f"data: row {position}: there is no trace {trace_id}")
        row = DataRow(trace_id=trace_id)
    elif "inputs" in given or "outputs" in given:
        row = DataRow()
    else:
        raise InvalidEvaluation(
            f"data: row {position} has none of inputs, outputs, trace and trace_id, but {', '.join(map(str, given))}"
        )
    changes: dict[str, Any] = {}
    if "inputs" in given:
        changes["inputs"] = given["inputs"]
    if "outputs" in given:
        changes |= {"outputs": given["outputs"], "has_outputs": True}
    expectations = given.get("expectations")
    if expectations is not None:
        if not isinstance(expectations, Mapping):
            raise InvalidEvaluation(f"data: row {position}: expectations: {brief(expectations)} is not a dict by name")
        changes["expectations"] = {**row.expectations, **expectations}
        changes["conflicts"] = tuple(name for name in row.conflicts if name not in expectations)
        changes["expected_by"] = {
            **{name: by for name, by in row.expected_by.items() if name not in expectations},
            **given.get("expected_by", {}),
        }
    for name in ("session_id", "record_id"):
        if given.get(name):
            changes[name] = str(given[name])
    if isinstance(given.get("tags"), Mapping):
        changes["tags"] = {**row.tags, **{str(name): str(value) for name, value in given["tags"].items()}}
    return replace(row, **changes)


def _of_trace(trace: Trace, on_conflict: OnConflict) -> DataRow:
    expected = expected_of(trace.assessments, on_conflict=on_conflict)
    return DataRow(
        inputs=trace.info.request,
        outputs=trace.info.response,
        has_outputs=True,
        expectations=expected.values,
        expected_by={name: choice.to_json() for name, choice in expected.by.items()},
        conflicts=tuple(expected.conflicts),
        tags=dict(trace.info.tags),
        trace=trace,
        trace_id=trace.info.trace_id,
        session_id=trace.info.session_id or "",
    )
