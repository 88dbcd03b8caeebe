"""What people give as traces: a DataFrame, traces, spans, or ids."""

from collections.abc import Iterable, Mapping
from typing import Any

from hansei.feedback.labeling.errors import InvalidLabeling
from hansei.feedback.labeling.texts import brief
from hansei.feedback.search.trace import Span, Trace

_ALLOWED = "give a DataFrame of hansei.search_traces, traces, trace ids, spans, or pairs of a trace id and a span id"


def ids_of(traces: object) -> tuple[list[str], list[dict[str, str]]]:
    """The ids of traces, and those of single spans. Raises :class:`InvalidLabeling`."""
    trace_ids: list[str] = []
    spans: list[dict[str, str]] = []
    for each in _each(traces):
        if isinstance(each, Trace):
            trace_ids.append(each.info.trace_id)
        elif isinstance(each, Span):
            spans.append({"trace_id": each.trace_id, "span_id": each.span_id})
        elif isinstance(each, str):
            trace_ids.append(each)
        elif isinstance(each, tuple) and len(each) == 2 and all(isinstance(part, str) for part in each):
            spans.append({"trace_id": each[0], "span_id": each[1]})
        else:
            raise InvalidLabeling(f"traces: {brief(each)} is none; {_ALLOWED}")
    return trace_ids, spans


def _each(traces: Any) -> Iterable[object]:
    if hasattr(traces, "columns") and hasattr(traces, "itertuples"):
        if "trace_id" not in traces.columns:
            raise InvalidLabeling(f"traces: the DataFrame has no column trace_id; {_ALLOWED}")
        return [str(each) for each in traces["trace_id"]]
    if isinstance(traces, str | Trace | Span):
        return [traces]
    if isinstance(traces, tuple) and len(traces) == 2 and all(isinstance(part, str) for part in traces):
        # Two ids of traces in a tuple would be as long as each other.
        return [traces] if len(traces[0]) != len(traces[1]) else traces
    if isinstance(traces, Mapping) or not isinstance(traces, Iterable):
        raise InvalidLabeling(f"traces: {brief(traces)} is none; {_ALLOWED}")
    return traces
