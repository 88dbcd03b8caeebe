"""What people give to be merged: a DataFrame, dicts, traces, or a file."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from hansei.evaluation.datasets.files import format_of, records_of_file
from hansei.evaluation.datasets.given import FIELDS
from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.json_text import is_missing, plain_json
from hansei.feedback.labeling.texts import brief
from hansei.feedback.search.trace import Span, Trace

_ALLOWED: Final = (
    "give a DataFrame of hansei.search_traces or with columns inputs, outputs and expectations, a list of dicts with "
    "these, traces, a labeling session, or the path of a file"
)
_SEARCHED: Final = ("trace_id", "trace", "request", "response")
"""By these columns a DataFrame of search_traces is known."""


def records_of(given: object) -> Iterator[dict[str, Any]]:
    """Records as the API takes them. Raises ``InvalidEvaluation``."""
    if isinstance(given, str | os.PathLike):
        path = Path(given)
        yield from records_of_file(path, format_of(path.name))
        return
    for position, each in enumerate(_each(given)):
        if isinstance(each, Trace):
            yield {"trace_id": each.info.trace_id}
        elif isinstance(each, Span):
            yield {"trace_id": each.trace_id, "span_id": each.span_id}
        elif isinstance(each, Mapping):
            yield plain_json(_with_trace(each))
        else:
            raise InvalidEvaluation(f"records: the one at {position} is {brief(each)}; {_ALLOWED}")


def _each(given: Any) -> Iterable[object]:
    if hasattr(given, "columns") and hasattr(given, "to_dict"):
        return _rows(given)
    if isinstance(given, Trace | Span | Mapping):
        return [given]
    if not isinstance(given, Iterable):
        raise InvalidEvaluation(f"records: {brief(given)} is none; {_ALLOWED}")
    return given


def _rows(frame: Any) -> Iterator[dict[str, Any]]:
    """The rows of a DataFrame, without what is missing and, of a search, without what is read from the trace itself."""
    columns = [str(column) for column in frame.columns]
    searched = all(name in columns for name in _SEARCHED)
    kept = [name for name in columns if name in FIELDS and not (searched and name == "tags")]
    if not {"inputs", "trace_id", "trace"} & set(columns):
        raise InvalidEvaluation(f"records: the DataFrame has neither inputs nor trace_id; {_ALLOWED}")
    for row in frame[kept if kept else ["trace"]].to_dict("records"):
        yield {name: value for name, value in row.items() if not is_missing(value)}


def _with_trace(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Under ``trace`` MLflow's rows have the whole of it."""
    trace = given.get("trace")
    if not isinstance(trace, Trace):
        return given
    return {"trace_id": trace.info.trace_id, **{name: value for name, value in given.items() if name != "trace"}}
