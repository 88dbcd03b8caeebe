"""Making a version: of what was sent, or without some records.

Rows are written first, under the number of the next version and an id of their own, and count for nothing until the
version is written that names that id: whoever is killed before leaves no trace of it. The version is written where
the one before is still the latest; whoever comes second does the work again on what the first has made.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hansei.evaluation.datasets.info import existing_info, head_of
from hansei.evaluation.datasets.merging import Conflict, merged
from hansei.evaluation.datasets.record import DatasetInfo, DatasetRecord, VersionRecord
from hansei.evaluation.datasets.records import records_by_id, write_records
from hansei.evaluation.datasets.uploads import read_upload
from hansei.evaluation.errors import EvaluationConflict, InvalidEvaluation, UnknownEvaluation
from hansei.evaluation.expectations import OnConflict
from hansei.feedback.labeling.texts import brief
from hansei.feedback.search.connection import Query
from hansei.feedback.web.tables import Tables

MOST_RECORDS: Final = 1_000_000
"""Records of a dataset."""
_AT_ONCE: Final = 500
_ATTEMPTS: Final = 3
"""After which nobody else may be faster."""
_TOLD: Final = 200
"""Conflicts that are told one by one."""
_COLUMNS: Final = (
    "DatasetId", "Version", "Records", "Added", "Changed", "Removed", "MergeId", "Note", "CreatedAt", "ChangedBy",
    "Written",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What became of a merge."""

    version: VersionRecord
    """The latest now: the one that was made, or the one before where nothing changed."""
    is_new: bool
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    conflicts: Sequence[Conflict] = ()
    conflict_count: int = 0


@dataclass
class _Work:
    """A version in the making."""

    tables: Tables
    info: DatasetInfo
    head: VersionRecord
    changed_by: str
    merge_id: str
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    conflict_count: int = 0

    def __post_init__(self) -> None:
        self.conflicts: list[Conflict] = []

    def base(self, record_ids: Sequence[str]) -> dict[str, DatasetRecord]:
        """Some records as they are."""
        return records_by_id(self.tables.query, self.info.dataset_id, self.head.version, record_ids)

    def write(self, records: Sequence[DatasetRecord], *, deleted: bool = False) -> None:
        """Write rows of the next version."""
        write_records(
            self.tables, self.info.dataset_id, self.head.version + 1, self.merge_id, records,
            changed_by=self.changed_by, deleted=deleted,
        )  # fmt: skip


def merge_upload(
    tables: Tables,
    info: DatasetInfo,
    upload_id: str,
    *,
    note: str = "",
    on_conflict: OnConflict = "skip",
    changed_by: str = "",
) -> MergeResult:
    """Merge all that was sent in an upload: a new version, where anything changes by it.

    Raises ``UnknownEvaluation`` where the dataset was deleted, ``EvaluationConflict`` where people disagree and that
    is an error, ``InvalidEvaluation`` where there would be too many records.
    """

    def work(work: _Work) -> None:
        for sent in read_upload(tables.query, upload_id):
            base = work.base([each.record_id for each in sent])
            written = []
            for each in sent:
                before = base.get(each.record_id)
                after = merged(each.record_id, before, each.given, each.first, on_conflict)
                work.conflict_count += len(after.conflicts)
                work.conflicts += after.conflicts[: _TOLD - len(work.conflicts)]
                if before is not None and before.digest() == after.record.digest():
                    work.unchanged += 1
                    continue
                written.append(after.record)
                work.added += before is None
                work.changed += before is not None
            work.write(written)

    return _made(tables, info, note, changed_by, work)


def remove_records(
    tables: Tables, info: DatasetInfo, record_ids: Sequence[str], *, note: str = "", changed_by: str = ""
) -> MergeResult:
    """Make a version without some records. Raises ``UnknownEvaluation`` where one of them is not in the latest."""

    def work(work: _Work) -> None:
        wanted = list(dict.fromkeys(record_ids))
        for start in range(0, len(wanted), _AT_ONCE):
            piece = wanted[start : start + _AT_ONCE]
            found = work.base(piece)
            missing = next((each for each in piece if each not in found), None)
            if missing is not None:
                raise UnknownEvaluation(
                    f"there is no record {brief(missing)} in version {work.head.version} of {brief(info.name)}"
                )
            work.write(list(found.values()), deleted=True)
            work.removed += len(found)

    return _made(tables, info, note, changed_by, work)


def _made(tables: Tables, info: DatasetInfo, note: str, changed_by: str, work: Callable[[_Work], None]) -> MergeResult:
    for _ in range(_ATTEMPTS):
        done = _worked(tables, info, changed_by, work)
        with tables.turn:
            result = _finished(done, note)
        if result is not None:
            return result
    with tables.turn:
        result = _finished(_worked(tables, info, changed_by, work), note)
    if result is None:
        raise EvaluationConflict(f"another server writes to the dataset {brief(info.name)}; try again")
    return result


def _worked(tables: Tables, info: DatasetInfo, changed_by: str, work: Callable[[_Work], None]) -> _Work:
    made = _Work(tables, info, head_of(tables.query, info), changed_by, f"m-{uuid.uuid4().hex}")
    work(made)
    return made


def _finished(work: _Work, note: str) -> MergeResult | None:
    """Write the version; None where another has been made meanwhile."""
    query: Query = work.tables.query
    existing_info(query, work.info.dataset_id)
    if head_of(query, work.info).version != work.head.version:
        return None
    counts: dict[str, Any] = {"added": work.added, "changed": work.changed, "removed": work.removed}
    told: dict[str, Any] = {
        "unchanged": work.unchanged,
        "conflicts": work.conflicts,
        "conflict_count": work.conflict_count,
    }
    if not any(counts.values()):
        return MergeResult(work.head, False, **told)
    records = work.head.records + work.added - work.removed
    if records > MOST_RECORDS:
        raise InvalidEvaluation(f"records: there would be {records}; a dataset has {MOST_RECORDS} at most")
    written = work.tables.clock.tick()
    made = VersionRecord(
        work.head.version + 1, records, **counts, note=note, created_ms=written // 1_000_000,
        created_by=work.changed_by,
    )  # fmt: skip
    row = (
        work.info.dataset_id, made.version, made.records, made.added, made.changed, made.removed, work.merge_id, note,
        made.created_ms, work.changed_by, written,
    )  # fmt: skip
    work.tables.insert("dataset_versions", _COLUMNS, [row])
    return MergeResult(made, True, **counts, **told)
