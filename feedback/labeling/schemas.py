"""Label schemas as their table holds them."""

import json
from typing import Any, Final

from hansei.feedback.labeling.model import LabelingSessionRecord, LabelSchemaVersion
from hansei.feedback.labeling.statements import statement
from hansei.feedback.labeling.store import LabelingStore
from hansei.feedback.search.connection import Query

_COLUMNS: Final = (
    "Name", "Version", "Type", "Input", "Title", "Instruction", "EnableComment", "Deleted", "ChangedBy", "Written",
)  # fmt: skip


def read_schema_versions(query: Query, record: LabelingSessionRecord) -> list[LabelSchemaVersion]:
    """The questions that a session asks, in the versions and the order in which it does; also deleted ones."""
    wanted = list(record.label_schemas)
    if not wanted:
        return []
    rows = query(statement("label_schema_versions"), {"names": sorted({name for name, _ in wanted})})
    found = {(row["Name"], row["Version"]): schema_of(row) for row in rows}
    return [found[each] for each in wanted if each in found]


def latest_schemas(query: Query, names: list[str] | None = None) -> dict[str, LabelSchemaVersion]:
    """The latest version of each label schema that is not deleted, by name; of ``names`` alone where they are given."""
    return {name: schema for name, (schema, deleted) in last_schemas(query, names).items() if not deleted}


def last_schemas(query: Query, names: list[str] | None = None) -> dict[str, tuple[LabelSchemaVersion, bool]]:
    """As :func:`latest_schemas`, with deleted ones, and whether each is."""
    rows = query(statement("latest_label_schemas"), {"all": names is None, "names": names or []})
    return {row["Name"]: (schema_of(row), bool(row["Deleted"])) for row in rows}


def insert_schema(
    store: LabelingStore, schema: LabelSchemaVersion, *, changed_by: str = "", deleted: bool = False
) -> None:
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
