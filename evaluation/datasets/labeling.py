"""Between datasets and labeling sessions, inside the server."""

from dataclasses import dataclass
from typing import Any

from hansei.evaluation.datasets.given import Given
from hansei.evaluation.datasets.merge import MergeResult, merge_upload
from hansei.evaluation.datasets.record import DatasetInfo
from hansei.evaluation.datasets.records import traces_of_records
from hansei.evaluation.datasets.traces import from_traces
from hansei.evaluation.datasets.uploads import add_to_upload, new_upload_id
from hansei.evaluation.errors import UnknownEvaluation
from hansei.evaluation.expectations import OnConflict
from hansei.evaluation.statements import statement
from hansei.feedback.labeling.errors import UnknownLabeling
from hansei.feedback.labeling.items import Added, add_items, span_item, trace_item
from hansei.feedback.labeling.model import LabelingSessionRecord
from hansei.feedback.labeling.sessions import existing_session, read_session_by_name
from hansei.feedback.search.connection import Query
from hansei.feedback.web.tables import Tables


@dataclass(frozen=True, slots=True)
class AddedRecords:
    """What became of a dataset whose records were to be labelled."""

    items: Added
    without_trace: int
    """Records that no trace stands behind: there is nothing that could be shown to a reviewer."""


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What became of the labels of a session."""

    merge: MergeResult
    labelled: int
    """Traces and spans of which an expectation was said."""
    unknown: int
    without_inputs: int
    conversations: int
    """Conversations that were labelled: a record is of one trace, so they are left out."""


def session_named(query: Query, name: str) -> LabelingSessionRecord:
    """A labeling session by its id or its name. Raises ``UnknownEvaluation``."""
    named = read_session_by_name(query, name)
    if named is not None:
        return named
    try:
        return existing_session(query, name)
    except UnknownLabeling as error:
        raise UnknownEvaluation(str(error)) from None


def add_dataset(tables: Tables, session: LabelingSessionRecord, info: DatasetInfo, version: int) -> AddedRecords:
    """Let the traces of a version's records be labelled."""
    traces, without = traces_of_records(tables.query, info.dataset_id, version)
    reason = f"the dataset {info.name}, version {version}"
    items = [
        span_item(trace_id, span_id, reason) if span_id else trace_item(trace_id, reason)
        for trace_id, span_id in traces
    ]
    return AddedRecords(add_items(tables, session.session_id, items), without)


def sync_session(
    tables: Tables,
    session: LabelingSessionRecord,
    info: DatasetInfo,
    *,
    on_conflict: OnConflict = "skip",
    changed_by: str = "",
) -> SyncResult:
    """Merge what experts expected in a session into a dataset: the traces that have such a label, with the labels.

    Raises what :func:`~hansei.evaluation.datasets.merge.merge_upload` raises.
    """
    query, asked = tables.query, {"session_id": session.session_id}
    rows = query(statement("datasets", "labelled_of_session"), asked)
    (row,) = query(statement("datasets", "labelled_conversations"), asked)
    found = from_traces(
        query, [Given(trace_id=each["TraceId"], span_id=each["SpanId"]) for each in rows], session.session_id
    )
    upload_id = new_upload_id()
    add_to_upload(tables, upload_id, found.records)
    merge = merge_upload(
        tables, info, upload_id, note=f"labeling session {session.name}"[:500], on_conflict=on_conflict,
        changed_by=changed_by,
    )  # fmt: skip
    return SyncResult(merge, len(rows), found.unknown, found.without_inputs, row["Conversations"])


def sync_json(result: SyncResult) -> dict[str, Any]:
    """As the API has it."""
    return {
        "labelled": result.labelled,
        "unknown_traces": result.unknown,
        "without_inputs": result.without_inputs,
        "conversations_left_out": result.conversations,
    }
