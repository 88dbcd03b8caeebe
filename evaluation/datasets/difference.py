"""What differs between two versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hansei.evaluation.datasets.record import DatasetRecord
from hansei.evaluation.datasets.record_json import record_json, source_json
from hansei.evaluation.datasets.records import records_by_id
from hansei.evaluation.json_text import canonical_json
from hansei.evaluation.statements import statement
from hansei.feedback.search.connection import Query
from hansei.feedback.sql_blocks import fill

ADDED: Final = "added"
CHANGED: Final = "changed"
REMOVED: Final = "removed"
_EVERY: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Difference:
    """A record that differs; None where it is not in the one or the other."""

    record_id: str
    before: DatasetRecord | None
    after: DatasetRecord | None

    @property
    def change(self) -> str:
        """``added``, ``changed`` or ``removed``."""
        return ADDED if self.before is None else REMOVED if self.after is None else CHANGED

    @property
    def fields(self) -> list[str]:
        """What of it changed: ``outputs``, ``expectations.NAME``, ``tags.NAME``, ``source``."""
        if self.before is None or self.after is None:
            return []
        found = [] if _same(self.before.outputs, self.after.outputs) else ["outputs"]
        for name in ("expectations", "tags"):
            before, after = getattr(self.before, name), getattr(self.after, name)
            found += [
                f"{name}.{key}"
                for key in sorted({*before, *after})
                if key not in before or key not in after or not _same(before[key], after[key])
            ]
        sources = [source_json(each) for each in (self.before, self.after)]
        for source in sources:
            source.pop("file", None)
        return found if _same(*sources) else [*found, "source"]

    def to_json(self) -> dict[str, Any]:
        """As the API has it."""
        return {
            "record_id": self.record_id,
            "change": self.change,
            "fields": self.fields,
            "before": record_json(self.before) if self.before else None,
            "after": record_json(self.after) if self.after else None,
        }


def count_differences(query: Query, dataset_id: str, start: int, end: int) -> dict[str, int]:
    """How many records are new, changed and gone from one version to another."""
    sql = fill(
        statement("datasets", "dataset_difference_counts"), difference=statement("datasets", "dataset_difference")
    )
    (row,) = query(sql, {"dataset_id": dataset_id, "from": start, "to": end, "after_id": "", "limit": _EVERY})
    return {ADDED: row["Added"], CHANGED: row["Changed"], REMOVED: row["Removed"]}


def read_differences(
    query: Query, dataset_id: str, start: int, end: int, *, after_id: str = "", limit: int = 100
) -> Sequence[Difference]:
    """The records that differ between two versions, in the order of their ids."""
    asked = {"dataset_id": dataset_id, "from": start, "to": end, "after_id": after_id, "limit": limit}
    ids = [row["RecordId"] for row in query(statement("datasets", "dataset_difference"), asked)]
    before = records_by_id(query, dataset_id, start, ids)
    after = records_by_id(query, dataset_id, end, ids)
    return [Difference(each, before.get(each), after.get(each)) for each in ids]


def _same(one: Any, other: Any) -> bool:
    return canonical_json(one) == canonical_json(other)
