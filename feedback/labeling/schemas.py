"""Label schemas: the questions, and what may become of them.

A label schema has versions. A session asks the versions that were the latest when it was made, so that a later change
changes no session and no label. Once a label answers a schema, its type and its input stay as they are: labels of one
name would mean two things.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from hansei.feedback.labeling.errors import InvalidLabeling, LabelingConflict, UnknownLabeling
from hansei.feedback.labeling.inputs import input_of
from hansei.feedback.labeling.model import TYPES, LabelingSessionRecord, LabelSchemaVersion
from hansei.feedback.labeling.statements import statement
from hansei.feedback.labeling.texts import brief, long_text, plain_text
from hansei.feedback.search.connection import Query
from hansei.feedback.web.tables import Tables

_COLUMNS: Final = (
    "Name", "Version", "Type", "Input", "Title", "Instruction", "EnableComment", "Deleted", "ChangedBy", "Written",
)  # fmt: skip
LONGEST_NAME: Final = 200
"""Characters, as of every name here."""
LONGEST_TITLE: Final = 1_000
LONGEST_INSTRUCTION: Final = 20_000


def checked_schema(given: LabelSchemaVersion) -> LabelSchemaVersion:
    """A label schema as it may be stored. Raises :class:`InvalidLabeling`."""
    plain_text("name", given.name, LONGEST_NAME)
    if given.type not in TYPES:
        raise InvalidLabeling(f"type: {brief(given.type)} is not one of {', '.join(TYPES)}")
    plain_text("title", given.title, LONGEST_TITLE)
    if not isinstance(given.enable_comment, bool):
        raise InvalidLabeling(f"enable_comment: {brief(given.enable_comment)} is neither true nor false")
    return replace(
        given,
        input=input_of(given.input).to_json(),
        instruction=long_text("instruction", given.instruction, LONGEST_INSTRUCTION),
    )


def create_schema(store: Tables, given: LabelSchemaVersion, *, overwrite: bool, changed_by: str) -> LabelSchemaVersion:
    """Make a label schema, or with ``overwrite`` a new version of it where it differs from the latest.

    The version is given here. Raises :class:`InvalidLabeling` and :class:`LabelingConflict`.
    """
    wanted = checked_schema(given)
    name = wanted.name
    with store.turn:
        last, deleted = last_schemas(store.query, [name]).get(name, (None, True))
        if last is not None and not deleted:
            if not overwrite:
                raise LabelingConflict(
                    f"name: there is a label schema {name!r} (version {last.version}); "
                    "give overwrite=True to make a new version of it, or another name"
                )
            if replace(wanted, version=last.version) == last:
                return last
        if last is not None and (wanted.type, wanted.input) != (last.type, last.input):
            _check_unused(store, last, wanted)
        made = replace(wanted, version=1 if last is None else last.version + 1)
        insert_schema(store, made, changed_by=changed_by)
    return made


def _check_unused(store: Tables, last: LabelSchemaVersion, wanted: LabelSchemaVersion) -> None:
    if not store.query(statement("label_schema_was_used"), {"name": last.name}):
        return
    what = "type" if last.type != wanted.type else "input"
    kept, given = (last.type, wanted.type) if what == "type" else (_input(last), _input(wanted))
    raise LabelingConflict(
        f"{what}: {given} cannot take the place of {kept} in the label schema {last.name!r}, which labels answer; "
        f"keep the {what}, or make a label schema of another name"
    )


def _input(schema: LabelSchemaVersion) -> str:
    text = json.dumps(dict(schema.input), ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}…"


def read_schema(query: Query, name: str) -> LabelSchemaVersion:
    """The latest version of a label schema. Raises :class:`UnknownLabeling`."""
    found = latest_schemas(query, [name]).get(name)
    if found is None:
        raise UnknownLabeling(f"there is no label schema {brief(name)}")
    return found


def delete_schema(store: Tables, name: str, *, changed_by: str) -> None:
    """Hide a label schema; sessions that ask it go on. Raises :class:`UnknownLabeling`."""
    with store.turn:
        insert_schema(store, read_schema(store.query, name), changed_by=changed_by, deleted=True)


def read_schema_versions(query: Query, record: LabelingSessionRecord) -> list[LabelSchemaVersion]:
    """The questions that a session asks, in the versions and the order in which it does; also deleted ones."""
    return read_versions_of(query, [record])[record.session_id]


def read_versions_of(query: Query, records: Sequence[LabelingSessionRecord]) -> dict[str, list[LabelSchemaVersion]]:
    """As :func:`read_schema_versions`, of some sessions, by id."""
    names = sorted({name for record in records for name, _ in record.label_schemas})
    rows = query(statement("label_schema_versions"), {"names": names})
    found = {(row["Name"], row["Version"]): schema_of(row) for row in rows}
    return {record.session_id: [found[each] for each in record.label_schemas if each in found] for record in records}


def latest_schemas(query: Query, names: list[str] | None = None) -> dict[str, LabelSchemaVersion]:
    """The latest version of each label schema that is not deleted, by name; of ``names`` alone where they are given."""
    return {name: schema for name, (schema, deleted) in last_schemas(query, names).items() if not deleted}


def last_schemas(query: Query, names: list[str] | None = None) -> dict[str, tuple[LabelSchemaVersion, bool]]:
    """As :func:`latest_schemas`, with deleted ones, and whether each is."""
    rows = query(statement("latest_label_schemas"), {"all": names is None, "names": names or []})
    return {row["Name"]: (schema_of(row), bool(row["Deleted"])) for row in rows}


def insert_schema(store: Tables, schema: LabelSchemaVersion, *, changed_by: str = "", deleted: bool = False) -> None:
    """Write a version; ``deleted`` hides all versions of its name until there is a newer one."""
    row = (
        schema.name,
        schema.version,
        schema.type,
        json.dumps(dict(schema.input), ensure_ascii=False),
        schema.title,
        schema.instruction or "",
        schema.enable_comment,
        int(deleted),
        changed_by,
        store.clock.tick(),
    )
    store.insert("label_schemas", _COLUMNS, [row])


def schema_of(row: dict[str, Any]) -> LabelSchemaVersion:
    """A version of its row."""
    return LabelSchemaVersion(
        name=row["Name"],
        version=row["Version"],
        type=row["Type"],
        input=json.loads(row["Input"]),
        title=row["Title"],
        instruction=row["Instruction"] or None,
        enable_comment=bool(row["EnableComment"]),
    )
