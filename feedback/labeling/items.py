"""The items of a session: traces, single spans, whole conversations."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hansei.feedback.labeling.errors import UnknownLabeling
from hansei.feedback.labeling.model import CONVERSATION, SPAN, TRACE, Item
from hansei.feedback.labeling.statements import statement
from hansei.feedback.labeling.texts import brief
from hansei.feedback.search.connection import Query
from hansei.feedback.web.tables import Tables

_COLUMNS: Final = (
    "SessionId", "ItemId", "Kind", "TraceId", "SpanId", "ConversationId", "Reason", "Position", "Deleted", "Written",
)  # fmt: skip
MOST: Final = 100_000
"""Items that are added at a time."""


@dataclass(frozen=True, slots=True)
class Added:
    """What became of items that were to be added."""

    added: int
    already_there: int
    unknown: int
    """How many of the added ones have not come yet: no span of them is stored."""


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


def insert_items(store: Tables, session_id: str, items: Iterable[Item], *, deleted: bool = False) -> None:
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


def add_items(store: Tables, session_id: str, items: Iterable[Item]) -> Added:
    """Add items behind those that there are; what is there already stays where it is, what was removed comes back."""
    wanted = {item.item_id: item for item in items}
    if not wanted:
        return Added(0, 0, 0)
    with store.turn:
        before = store.query(statement("labeling_items_before"), {"session_id": session_id})
        there = {row["ItemId"] for row in before if not row["Deleted"]}
        new = [item for item_id, item in wanted.items() if item_id not in there]
        if not new:
            return Added(0, len(wanted), 0)
        start = store.clock.tick()
        insert_items(store, session_id, new)
    (row,) = store.query(statement("labeling_items_unknown"), {"session_id": session_id, "from": start})
    return Added(len(new), len(wanted) - len(new), row["Unknown"])


def remove_item(store: Tables, session_id: str, item_id: str) -> None:
    """Take an item out; what was said of it stays in the ledger, and no rule adds it again.

    Raises :class:`UnknownLabeling`.
    """
    with store.turn:
        found = read_item(store.query, session_id, item_id)
        if found is None:
            raise UnknownLabeling(f"there is no item {brief(item_id)} in this labeling session")
        insert_items(store, session_id, [found], deleted=True)


def read_items_page(query: Query, session_id: str, after: tuple[int, str], limit: int) -> list[Item]:
    """Items behind a position and an item's id, in their order."""
    asked = {"session_id": session_id, "after": after[0], "after_id": after[1], "limit": limit}
    return [item_of(row) for row in query(statement("labeling_items_page"), asked)]


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
