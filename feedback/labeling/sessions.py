"""Labeling sessions: making, changing and reading them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any, Final

from hansei.feedback.ids import new_assessment_id
from hansei.feedback.labeling.errors import InvalidLabeling, LabelingConflict, UnknownLabeling
from hansei.feedback.labeling.model import CLOSED, OPEN, LabelingSessionRecord, SessionSettings
from hansei.feedback.labeling.rules import lasting_rules
from hansei.feedback.labeling.schemas import LONGEST_NAME, latest_schemas
from hansei.feedback.labeling.statements import fill, statement
from hansei.feedback.labeling.texts import brief, plain_text
from hansei.feedback.search.connection import Query
from hansei.feedback.web.tables import Tables

_COLUMNS: Final = (
    "SessionId", "Name", "RunId", "LabelSchemas.Name", "LabelSchemas.Version", "Settings", "Status", "CreatedAt",
    "Deleted", "ChangedBy", "Written",
)  # fmt: skip
MOST_QUESTIONS: Final = 50
"""Label schemas of a session."""
MOST_REVIEWERS_PER_ITEM: Final = 20
LONGEST_LEASE_MINUTES: Final = 1_440
LONGEST_LINK_DAYS: Final = 3_650
_SETTINGS: Final = tuple(field.name for field in fields(SessionSettings))


def read_session(query: Query, session_id: str) -> LabelingSessionRecord | None:
    """A session by its id; None where there is none, or where it was deleted."""
    found = _found(query, "labeling_session", {"session_id": session_id})
    return found[0] if found else None


def read_session_by_name(query: Query, name: str) -> LabelingSessionRecord | None:
    """A session by its name; None where there is none."""
    found = _found(query, "labeling_session_by_name", {"name": name})
    return found[0] if found else None


def read_sessions(query: Query) -> list[LabelingSessionRecord]:
    """All sessions, the newest first."""
    return _found(query, "labeling_sessions", {})


def _found(query: Query, name: str, parameters: Mapping[str, object]) -> list[LabelingSessionRecord]:
    """By one of the statements of sessions."""
    sql = fill(statement(name), columns=statement("columns_of_labeling_sessions"))
    return [session_of(row) for row in query(sql, parameters)]


def insert_session(
    store: Tables, record: LabelingSessionRecord, *, changed_by: str = "", deleted: bool = False
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


def create_session(
    store: Tables,
    *,
    name: str,
    label_schemas: Sequence[str],
    settings: SessionSettings,
    changed_by: str,
) -> LabelingSessionRecord:
    """Make a session, without reviewers and items.

    Raises :class:`InvalidLabeling`, and :class:`LabelingConflict` where the name is taken.
    """
    plain_text("name", name, LONGEST_NAME)
    checked = checked_settings(settings)
    questions = _questions(store.query, label_schemas)
    with store.turn:
        taken = read_session_by_name(store.query, name)
        if taken is not None:
            raise LabelingConflict(
                f"name: there is a labeling session {name!r} ({taken.session_id}); get that one, or give another name"
            )
        now = store.clock.tick() // 1_000_000
        record = LabelingSessionRecord(
            session_id=f"ls-{_sortable_id(now)}",
            name=name,
            run_id=_sortable_id(now),
            label_schemas=questions,
            settings=checked,
            created_ms=now,
        )
        insert_session(store, record, changed_by=changed_by)
    return record


def existing_session(query: Query, session_id: str) -> LabelingSessionRecord:
    """A session by its id. Raises :class:`UnknownLabeling`."""
    found = read_session(query, session_id)
    if found is None:
        raise UnknownLabeling(f"there is no labeling session {brief(session_id)}")
    return found


def change_session(
    store: Tables,
    session_id: str,
    *,
    status: str | None = None,
    settings: Mapping[str, Any] | None = None,
    changed_by: str,
) -> LabelingSessionRecord:
    """Open or close a session, or change some of its settings. Raises :class:`InvalidLabeling` and
    :class:`UnknownLabeling`."""
    if status is not None and status not in (OPEN, CLOSED):
        raise InvalidLabeling(f"status: {brief(status)} is not one of {OPEN}, {CLOSED}")
    with store.turn:
        record = existing_session(store.query, session_id)
        changed = replace(
            record,
            status=status or record.status,
            settings=settings_of({**asdict(record.settings), **(settings or {})}),
        )
        if changed != record:
            insert_session(store, changed, changed_by=changed_by)
    return changed


def delete_session(store: Tables, session_id: str, *, changed_by: str) -> None:
    """Take a session away, and with it its links; the labels stay in the ledger. Raises :class:`UnknownLabeling`."""
    with store.turn:
        insert_session(store, existing_session(store.query, session_id), changed_by=changed_by, deleted=True)


def settings_of(given: Mapping[str, Any]) -> SessionSettings:
    """Settings of their JSON; what is left out is as by default. Raises :class:`InvalidLabeling`."""
    for name in given:
        if name not in _SETTINGS:
            raise InvalidLabeling(f"settings: there is no {brief(name)}; there are {', '.join(_SETTINGS)}")
    return checked_settings(SessionSettings(**given))


def checked_settings(given: SessionSettings) -> SessionSettings:
    """Settings as they may be stored. Raises :class:`InvalidLabeling`."""
    each = given.reviewers_per_item
    if not isinstance(each, int) or isinstance(each, bool) or not 1 <= each <= MOST_REVIEWERS_PER_ITEM:
        raise InvalidLabeling(
            f"reviewers_per_item: {brief(each)} is not a whole number from 1 to {MOST_REVIEWERS_PER_ITEM}"
        )
    if not isinstance(given.show_feedback, bool):
        raise InvalidLabeling(f"show_feedback: {brief(given.show_feedback)} is neither true nor false")
    for name, value, least, most in (
        ("lease_minutes", given.lease_minutes, 1 / 60, LONGEST_LEASE_MINUTES),
        ("link_days", given.link_days, 1 / 86_400, LONGEST_LINK_DAYS),
    ):
        if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
            raise InvalidLabeling(f"{name}: {brief(value)} is not a number above 0 and up to {most}")
    return replace(given, rules=lasting_rules(given.rules))


def _questions(query: Query, names: Sequence[str]) -> tuple[tuple[str, int], ...]:
    if isinstance(names, str) or not isinstance(names, Sequence) or not 1 <= len(names) <= MOST_QUESTIONS:
        raise InvalidLabeling(
            f"label_schemas: {brief(names)} is not a list of 1 to {MOST_QUESTIONS} label schemas' names"
        )
    for name in names:
        plain_text("label_schemas", name, LONGEST_NAME)
    if len(set(names)) < len(names):
        raise InvalidLabeling(f"label_schemas: {brief(list(names))} has one twice; give each once")
    known = latest_schemas(query, list(names))
    for name in names:
        if name not in known:
            there = ", ".join(sorted(latest_schemas(query))[:20])
            raise InvalidLabeling(
                f"label_schemas: there is no label schema {brief(name)}; "
                + (f"there are {there}" if there else "make it first with create_label_schema")
            )
    return tuple((name, known[name].version) for name in names)


def _sortable_id(milliseconds: int) -> str:
    """32 hexadecimal digits in the layout of UUIDv7, which begin with the moment."""
    return new_assessment_id(milliseconds).removeprefix("a-")
