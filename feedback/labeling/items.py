"""The items of a session: traces, single spans, whole conversations."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Final

from hansei.feedback.labeling.model import CONVERSATION, SPAN, TRACE, Item
from hansei.feedback.labeling.statements import statement
from hansei.feedback.labeling.store import LabelingStore
from hansei.feedback.search.connection import Query

_COLUMNS: Final = (
    "SessionId", "ItemId", "Kind", "TraceId", "SpanId", "ConversationId", "Reason", "Position", "Deleted", "Written",
)  # fmt: skip


def trace_item(trace_id: str, reason: str = "") -> Item:
    """A trace as an item."""
    return Item(f"t-{trace_id}", TRACE, trace_id=trace_id, reason=reason)


def span_item(trace_id: str, span_id: str, reason: str = "") -> Item:
    """A span as an item."""
    return Item(f"s-{trace_id}-{span_id}", SPAN, trace_id=trace_id, span_id=span_id, reason=reason)


def conversation_item(conversation_id: str, reason: str = "") -> Item:
    """A conversation as an item; its id is of any form, so a hash of it is in the item's."""
    digest = hashlib.sha256(conversation_id.encode()).hexdigest()[:32]
    return Item(f"c-{digest}", CONVERSATION, conversation_id=conversation_id, reason=reason)


def read_items(query: Query, session_id: str) -> list[Item]:
    """The items of a session, in their order."""
    return [item_of(row) for row in query(statement("labeling_items"), {"session_id": session_id})]


def read_item(query: Query, session_id: str, item_id: str) -> Item | None:
    """An item of a session; None where there is none, or where it was removed."""
    rows = query(statement("labeling_item"), {"session_id": session_id, "item_id": item_id})
    return item_of(rows[0]) if rows else None


def insert_items(store: LabelingStore, session_id: str, items: Iterable[Item], *, deleted: bool = False) -> None:
    """Write items, those without a position behind all that there are."""
    rows: list[Sequence[Any]] = []
    for item in items:
        written = store.clock.tick()
        rows.append(
            (
                session_id,
                item.item_id,
                item.kind,
                item.trace_id,
                item.span_id,
                item.conversation_id,
                item.reason,
                item.position or written,
                int(deleted),
                written,
            )
        )
    store.insert("labeling_items", _COLUMNS, rows)


def item_of(row: dict[str, Any]) -> Item:
    """An item of its row."""
    return Item(
        item_id=row["ItemId"],
        kind=row["Kind"],
        trace_id=row["TraceId"],
        span_id=row["SpanId"],
        conversation_id=row["ConversationId"],
        reason=row["Reason"],
        position=row["Position"],
    )
