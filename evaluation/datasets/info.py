"""Datasets without their records: making, finding and deleting them, inside the server."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hansei.evaluation.datasets.record import DatasetInfo, VersionRecord
from hansei.evaluation.errors import EvaluationConflict, InvalidEvaluation, UnknownEvaluation
from hansei.evaluation.statements import statement
from hansei.feedback.labeling.errors import InvalidLabeling
from hansei.feedback.labeling.texts import brief, long_text, plain_text
from hansei.feedback.search.connection import Query
from hansei.feedback.search.moment import END_OF_TIME
from hansei.feedback.search.page import Page, place_of, token_of
from hansei.feedback.sql_blocks import fill
from hansei.feedback.web.tables import Tables

_COLUMNS: Final = ("DatasetId", "Name", "Description", "Tags", "CreatedAt", "ChangedBy", "Deleted", "Written")
LONGEST_NAME: Final = 200
LONGEST_DESCRIPTION: Final = 5_000
"""Characters."""
_LAST: Final = "\U0010ffff"
"""Sorts after every id."""
_NEWEST: Final = 2**32 - 1


def create_info(
    tables: Tables, name: object, *, description: object = "", tags: object = None, changed_by: str = ""
) -> DatasetInfo:
    """Make an empty dataset. Raises ``InvalidEvaluation``, and ``EvaluationConflict`` where the name is taken."""
    try:
        checked = plain_text("name", name, LONGEST_NAME)
        described = long_text("description", description, LONGEST_DESCRIPTION) or ""
    except InvalidLabeling as error:
        raise InvalidEvaluation(str(error)) from None
    if tags is not None and not (
        isinstance(tags, Mapping) and all(isinstance(each, str) for pair in tags.items() for each in pair)
    ):
        raise InvalidEvaluation(f"tags: {brief(tags)} is not an object of texts by name")
    with tables.turn:
        if info_named(tables.query, checked) is not None:
            raise EvaluationConflict(f"there is a dataset {brief(checked)} already; get it, or choose another name")
        made = DatasetInfo(
            f"d-{uuid.uuid4().hex}", checked, described, dict(tags or {}), tables.clock.tick() // 1_000_000
        )
        _write(tables, made, changed_by, deleted=False)
    return made


def delete_info(tables: Tables, dataset: str, *, changed_by: str = "") -> None:
    """Take a dataset away. Raises ``UnknownEvaluation``."""
    with tables.turn:
        _write(tables, existing_info(tables.query, dataset), changed_by, deleted=True)


def existing_info(query: Query, dataset: str) -> DatasetInfo:
    """A dataset by its id, or by its name. Raises ``UnknownEvaluation``."""
    found = _find(query, "dataset", {"dataset_id": dataset}) or _find(query, "dataset_by_name", {"name": dataset})
    if not found:
        raise UnknownEvaluation(f"there is no dataset of the name or id {brief(dataset)}")
    return found[0]


def info_named(query: Query, name: str) -> DatasetInfo | None:
    """A dataset by its name; None where there is none."""
    found = _find(query, "dataset_by_name", {"name": name})
    return found[0] if found else None


def find_infos(
    query: Query,
    *,
    name: str = "",
    tags: Mapping[str, str] | None = None,
    limit: int = 100,
    page_token: str | None = None,
) -> Page[DatasetInfo]:
    """The datasets whose name contains a text, in any case, and that have these tags, the newest first.

    Raises ``InvalidSearch`` for a page token that is none.
    """
    before: Sequence[Any] = [END_OF_TIME, _LAST] if page_token is None else place_of(page_token, int, str)
    asked = {
        "name": name, "tags": list(tags or {}), "values": list((tags or {}).values()), "before": before[0],
        "before_id": before[1], "limit": limit + 1,
    }  # fmt: skip
    found = _find(query, "datasets", asked)
    if len(found) <= limit:
        return Page(found)
    return Page(found[:limit], token_of(found[limit - 1].created_ms, found[limit - 1].dataset_id))


def heads_of(query: Query, infos: Sequence[DatasetInfo]) -> dict[str, VersionRecord]:
    """The latest version of each dataset, by its id."""
    ids = [info.dataset_id for info in infos]
    rows = query(_version_sql("dataset_heads"), {"dataset_ids": ids}) if ids else []
    found = {row["DatasetId"]: _version(row) for row in rows}
    return {info.dataset_id: found.get(info.dataset_id) or _empty(info) for info in infos}


def head_of(query: Query, info: DatasetInfo) -> VersionRecord:
    """The latest version."""
    return heads_of(query, [info])[info.dataset_id]


def versions_of(query: Query, info: DatasetInfo, *, up_to: int = _NEWEST, limit: int = 1000) -> list[VersionRecord]:
    """The versions up to one, the newest first; the last is version 0, which is empty."""
    rows = query(
        _version_sql("dataset_versions"), {"dataset_id": info.dataset_id, "up_to": min(up_to, _NEWEST), "limit": limit}
    )
    found = [_version(row) for row in rows]
    return [*found, _empty(info)] if len(found) < limit else found


def existing_version(query: Query, info: DatasetInfo, version: int) -> VersionRecord:
    """One version. Raises ``UnknownEvaluation``."""
    (found, *_) = versions_of(query, info, up_to=version, limit=1)
    if found.version != version:
        raise UnknownEvaluation(f"there is no version {version} of the dataset {brief(info.name)}")
    return found


def _find(query: Query, name: str, asked: Mapping[str, object]) -> list[DatasetInfo]:
    sql = fill(statement("datasets", name), columns=statement("datasets", "dataset_columns"))
    return [
        DatasetInfo(row["DatasetId"], row["Name"], row["Description"], row["Tags"], row["CreatedMs"])
        for row in query(sql, asked)
    ]


def _write(tables: Tables, info: DatasetInfo, changed_by: str, *, deleted: bool) -> None:
    row = (
        info.dataset_id, info.name, info.description, dict(info.tags), info.created_ms, changed_by, int(deleted),
        tables.clock.tick(),
    )  # fmt: skip
    tables.insert("datasets", _COLUMNS, [row])


def _version_sql(name: str) -> str:
    return fill(statement("datasets", name), columns=statement("datasets", "version_columns"))


def _version(row: Mapping[str, Any]) -> VersionRecord:
    return VersionRecord(
        row["Version"], row["Records"], row["Added"], row["Changed"], row["Removed"], row["Note"], row["CreatedMs"],
        row["ChangedBy"],
    )  # fmt: skip


def _empty(info: DatasetInfo) -> VersionRecord:
    return VersionRecord(0, created_ms=info.created_ms)
