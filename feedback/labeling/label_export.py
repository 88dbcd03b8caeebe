"""The labels of a session as a list that can be exported."""

from typing import TYPE_CHECKING, Any, Final

from hansei.feedback.assessment import Assessment, Expectation
from hansei.feedback.export.columns import Column, Row, iso_of_milliseconds
from hansei.feedback.export.lists import Exported, Page
from hansei.feedback.labeling.desk_labels import COMMENT, SCHEMA_VERSION
from hansei.feedback.labeling.items import conversation_item, span_item, trace_item
from hansei.feedback.labeling.labels import DECIDED_BETWEEN
from hansei.feedback.search.assessments import find_assessments
from hansei.feedback.search.moment import Moment

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

COLUMNS: Final = (
    Column("item_id", "String"),
    Column("kind", "String"),
    Column("trace_id", "Nullable(String)"),
    Column("span_id", "Nullable(String)"),
    Column("session_id", "Nullable(String)"),
    Column("reviewer", "String"),
    Column("question", "String"),
    Column("type", "String"),
    Column("value", "Nullable(String)", is_json=True),
    Column("comment", "Nullable(String)"),
    Column("label_schema_version", "Nullable(UInt32)"),
    Column("decided_between", "Array(String)"),
    Column("valid", "Bool"),
    Column("assessment_id", "String"),
    Column("created", "DateTime64(3, 'UTC')"),
    Column("updated", "DateTime64(3, 'UTC')"),
)
_PAGE: Final = 20_000


def labels_of(session_id: str) -> Exported:
    """The labels of a session, the newest first; also those of items that were removed."""

    def read(
        site: "Site", asked: dict[str, Any], start: Moment | None, end: Moment | None, count: int, token: str | None
    ) -> Page:
        found = find_assessments(
            site.reader.query,
            labeling_session=session_id,
            start_time=start,
            end_time=end,
            max_results=count,
            page_token=token,
            **asked,
        )
        return Page([_row(each) for each in found], found.next_page_token)

    return Exported("labels", COLUMNS, frozenset({"name", "source_id"}), _PAGE, read)


def _row(label: Assessment) -> Row:
    metadata = label.metadata or {}
    if label.trace_id is None:
        item = conversation_item(label.session_id or "")
    elif label.span_id is not None:
        item = span_item(label.trace_id, label.span_id)
    else:
        item = trace_item(label.trace_id)
    version = metadata.get(SCHEMA_VERSION, "")
    between = metadata.get(DECIDED_BETWEEN)
    return (
        item.item_id,
        item.kind,
        label.trace_id,
        label.span_id,
        label.session_id,
        label.source.source_id if label.source else "",
        label.name,
        "expectation" if isinstance(label, Expectation) else "feedback",
        label.value,
        label.rationale or metadata.get(COMMENT),
        int(version) if version.isdigit() else None,
        between.split(",") if between else [],
        label.valid,
        label.assessment_id,
        iso_of_milliseconds(label.create_time_ms),
        iso_of_milliseconds(label.last_update_time_ms),
    )
