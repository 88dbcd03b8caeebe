"""Labeling sessions as their table holds them."""

import json
from dataclasses import asdict, fields
from typing import Any, Final

from hansei.feedback.labeling.model import LabelingSessionRecord, SessionSettings
from hansei.feedback.labeling.statements import statement
from hansei.feedback.labeling.store import LabelingStore
from hansei.feedback.search.connection import Query

_COLUMNS: Final = (
    "SessionId", "Name", "RunId", "LabelSchemas.Name", "LabelSchemas.Version", "Settings", "Status", "CreatedAt",
    "Deleted", "ChangedBy", "Written",
)  # fmt: skip
_SETTINGS: Final = tuple(field.name for field in fields(SessionSettings))


def read_session(query: Query, session_id: str) -> LabelingSessionRecord | None:
    """A session by its id; None where there is none, or where it was deleted."""
    rows = query(statement("labeling_session"), {"session_id": session_id})
    return session_of(rows[0]) if rows else None


def read_session_by_name(query: Query, name: str) -> LabelingSessionRecord | None:
    """A session by its name; None where there is none."""
    rows = query(statement("labeling_session_by_name"), {"name": name})
    return session_of(rows[0]) if rows else None


def read_sessions(query: Query) -> list[LabelingSessionRecord]:
    """All sessions, the newest first."""
    return [session_of(row) for row in query(statement("labeling_sessions"), {})]


def insert_session(
    store: LabelingStore, record: LabelingSessionRecord, *, changed_by: str = "", deleted: bool = False
) -> None:
    """Write a session as it is from now on."""
    row = (
        record.session_id,
        record.name,
        record.run_id,
        [name for name, _ in record.label_schemas],
        [version for _, version in record.label_schemas],
        json.dumps(asdict(record.settings), ensure_ascii=False),
        record.status,
        record.created_ms,
        int(deleted),
        changed_by,
        store.clock.tick(),
    )
    store.insert("labeling_sessions", _COLUMNS, [row])


def session_of(row: dict[str, Any]) -> LabelingSessionRecord:
    """A session of its row."""
    # A newer hansei may have written settings that this one does not know.
    settings = {name: value for name, value in json.loads(row["Settings"]).items() if name in _SETTINGS}
    return LabelingSessionRecord(
        session_id=row["SessionId"],
        name=row["Name"],
        run_id=row["RunId"],
        label_schemas=tuple(zip(row["SchemaNames"], row["SchemaVersions"], strict=True)),
        settings=SessionSettings(**settings),
        status=row["Status"],
        created_ms=row["CreatedMs"],
    )
