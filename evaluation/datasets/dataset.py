"""Datasets for Python, with MLflow's names."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from hansei.evaluation.client import EvaluationClient
from hansei.evaluation.datasets.chosen_records import records_of
from hansei.evaluation.datasets.files import format_of
from hansei.evaluation.errors import EvaluationConflict, InvalidEvaluation, UnknownEvaluation
from hansei.evaluation.expectations import OnConflict
from hansei.evaluation.request_pieces import request_pieces
from hansei.feedback.labeling.labeling_session import LabelingSession
from hansei.feedback.labeling.texts import brief

if TYPE_CHECKING:
    from hansei.feedback.search.frame import DataFrame

__all__ = [
    "Dataset",
    "DatasetVersion",
    "MergedRecords",
    "VersionDiff",
    "create_dataset",
    "delete_dataset",
    "get_dataset",
    "search_datasets",
]

COLUMNS: Final = ("record_id", "inputs", "outputs", "expectations", "tags", "source")
"""Those of the DataFrame of records."""
_RECORDS_AT_ONCE: Final = 20_000
_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """A version of a dataset. ``created_at`` is ISO 8601."""

    version: int
    records: int
    added: int
    changed: int
    removed: int
    note: str
    created_at: str
    created_by: str


@dataclass(frozen=True, slots=True)
class MergedRecords:
    """What became of records that were merged or removed."""

    version: int
    """The latest now."""
    is_new: bool
    """Whether it was made by this; where nothing changed, no version is."""
    added: int
    changed: int
    removed: int
    unchanged: int
    unknown_traces: int
    """Traces of which nothing is stored; they are left out."""
    without_inputs: int
    """Traces whose inputs were not recorded; they are left out."""
    conflict_count: int
    """Expectations about which people disagree; they are left out."""
    conflicts: Sequence[Mapping[str, Any]]
    """The first of them: ``record_id``, ``trace_id``, ``name``, and ``said``: who says what."""


@dataclass(frozen=True, slots=True)
class VersionDiff:
    """What differs between two versions."""

    start: int
    end: int
    added: Sequence[Mapping[str, Any]]
    """Records that the second has and the first has not."""
    changed: Sequence[Mapping[str, Any]]
    """``before`` and ``after`` of records that both have, with the ``fields`` that differ."""
    removed: Sequence[Mapping[str, Any]]
    """Records that the first has and the second has not."""

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


class Dataset:
    """Records to evaluate with, in one version. Made by :func:`create_dataset` and :func:`get_dataset`.

    What is merged makes a new version, which this then is; earlier ones stay as they were.
    """

    def __init__(self, client: EvaluationClient, found: Mapping[str, Any], *, pinned: int | None = None) -> None:
        self._client = client
        self._found = dict(found)
        self._pinned = pinned
        self._kept: tuple[int, list[dict[str, Any]]] | None = None
        self.merged: MergedRecords | None = None
        """What became of what was merged or removed last."""

    def __repr__(self) -> str:
        return f"Dataset(name={self.name!r}, dataset_id={self.dataset_id!r}, version={self.version})"

    @property
    def name(self) -> str:
        """Its name, which no other dataset has."""
        return str(self._found["name"])

    @property
    def dataset_id(self) -> str:
        """Its id."""
        return str(self._found["dataset_id"])

    @property
    def description(self) -> str:
        """What it is for."""
        return str(self._found["description"])

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        return dict(self._found["tags"])

    @property
    def version(self) -> int:
        """The version that this is; 0 is empty."""
        return int(self._found["version"]) if self._pinned is None else self._pinned

    @property
    def record_count(self) -> int:
        """How many records this version has. Raises ``HanseiError``."""
        return int(self._found["records"]) if self._pinned is None else len(self.records)

    @property
    def url(self) -> str:
        """Its page."""
        return self._client.url(self._found["path"])

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of this version: dicts with the columns of :meth:`to_df`. Raises ``HanseiError``."""
        if self._kept is None or self._kept[0] != self.version:
            self._kept = self.version, self._read(self.version)
        return [dict(each) for each in self._kept[1]]

    def to_df(self, version: int | None = None) -> "DataFrame":
        """The records of this version, or of another, as a DataFrame.

        Columns: ``record_id``, ``inputs``, ``outputs``, ``expectations``, ``tags``, and ``source``: the trace,
        the conversation, the labels of experts and the file that a record came from. Raises ``HanseiError``.
        """
        from hansei.feedback.search.frame import data_frame

        return data_frame(self.records if version is None else self.at(version).records, COLUMNS)

    def rows(self) -> Iterator[dict[str, Any]]:
        """The records of this version as :func:`~hansei.evaluate` takes them. Raises ``HanseiError``."""
        for record in self.records:
            source = record["source"]
            row = {
                "record_id": record["record_id"],
                "inputs": record["inputs"],
                "expectations": record["expectations"],
                "expected_by": source.get("labels", {}),
                "tags": record["tags"],
                "session_id": source.get("session", {}).get("session_id"),
            }
            if record["outputs"] is not None:
                row["outputs"] = record["outputs"]
            yield {name: value for name, value in row.items() if value is not None}

    def versions(self) -> list[DatasetVersion]:
        """All versions, the newest first. Raises ``HanseiError``."""
        return [DatasetVersion(**each) for each in self._pages("versions")]

    def at(self, version: int) -> "Dataset":
        """This dataset as it was in a version. Raises ``HanseiError``, also where there is none."""
        if isinstance(version, bool) or not isinstance(version, int) or version < 0:
            raise InvalidEvaluation(f"version: {brief(version)} is not the number of a version")
        self._ask("GET", "versions", str(version), "records", query="limit=1")
        return Dataset(self._client, self._found, pinned=version)

    def refresh(self) -> "Dataset":
        """Be the latest version, where others have merged records meanwhile. Raises ``HanseiError``."""
        self._check_latest()
        self._found = dict(self._client.ask("GET", "datasets", self.dataset_id))
        return self

    def diff(self, start: int | None = None, end: int | None = None) -> VersionDiff:
        """What differs between two versions: the one before and this one, where none is given.

        Raises ``HanseiError``.
        """
        last = self.version if end is None else end
        first = max(0, last - 1) if start is None else start
        found = list(self._pages("diff", **{"from": first, "to": last}))
        changed = [
            {"record_id": each["record_id"], "fields": each["fields"], "before": each["before"],
             "after": each["after"]}
            for each in found if each["change"] == "changed"
        ]  # fmt: skip
        return VersionDiff(
            first,
            last,
            [each["after"] for each in found if each["change"] == "added"],
            changed,
            [each["before"] for each in found if each["change"] == "removed"],
        )

    def merge_records(self, records: object, *, note: str = "", on_conflict: OnConflict = "skip") -> "Dataset":
        """Merge records; ``merged`` of what is answered, this dataset, tells what became of them.

        ``records``: a DataFrame of ``search_traces``, or with columns ``inputs``, ``outputs``, ``expectations`` and
        ``tags``; a list of dicts with these, or with a ``trace_id``; traces or spans; a labeling session; or the path
        of a JSON lines, CSV or Parquet file. A record is known by its inputs: what has the same inputs is merged into
        it, expectations and tags by their names. All that is merged together makes one version, or none where nothing
        changes, and nothing is half merged.

        Where people disagree about what is expected of a trace and nobody has decided, ``on_conflict`` says what
        holds: ``skip`` leaves it out and tells so, ``newest`` takes the last, ``error`` raises. Raises ``HanseiError``.
        """
        self._check_latest()
        if isinstance(records, LabelingSession):
            return self._learn(records.sync(self.dataset_id, on_conflict=on_conflict))
        body = {"note": note or _note(records), "on_conflict": on_conflict}
        if isinstance(records, str | os.PathLike):
            body["file"] = Path(records).name
        unknown = without_inputs = 0
        pieces = request_pieces(records_of(records), _RECORDS_AT_ONCE)
        piece = next(pieces, [])
        for following in pieces:
            found = self._ask("POST", "records:merge", body={**body, "records": piece, "more": True})
            body["upload_id"] = found["upload_id"]
            unknown, without_inputs = unknown + found["unknown_traces"], without_inputs + found["without_inputs"]
            piece = following
        found = self._ask("POST", "records:merge", body={**body, "records": piece})
        found["unknown_traces"] += unknown
        found["without_inputs"] += without_inputs
        return self._learn(found)

    def import_file(self, path: str | os.PathLike[str], *, note: str = "") -> "Dataset":
        """Merge the records of a JSON lines, CSV or Parquet file, whichever the ending of its name says.

        Raises ``HanseiError``.
        """
        return self.merge_records(Path(path), note=note)

    def delete_records(self, record_ids: Sequence[str], *, note: str = "") -> "Dataset":
        """Make a version without some records. Raises ``HanseiError``, also where one of them is not there."""
        self._check_latest()
        if isinstance(record_ids, str):
            raise InvalidEvaluation(f"record_ids: {brief(record_ids)} is not a list of ids")
        body = {"record_ids": list(record_ids), "note": note}
        return self._learn(self._ask("POST", "records:delete", body=body))

    def export(self, path: str | os.PathLike[str]) -> None:
        """Write this version to a JSON lines, CSV or Parquet file, whichever the ending of its name says.

        Raises ``HanseiError``.
        """
        target = Path(path)
        content = self.export_bytes(format_of(target.name))
        try:
            target.write_bytes(content)
        except OSError as error:
            raise InvalidEvaluation(f"path: {str(target)!r} cannot be written: {error.strerror}") from error

    def export_bytes(self, format: str = "jsonl") -> bytes:  # noqa: A002  that of the API
        """This version as a file: ``jsonl``, ``csv`` or ``parquet``. Raises ``HanseiError``."""
        query = urlencode({"format": format, "version": self.version})
        return self._client.download("GET", "datasets", self.dataset_id, "export", query=query).body

    def _read(self, version: int) -> list[dict[str, Any]]:
        query = urlencode({"format": "jsonl", "version": version})
        lines = self._client.download("GET", "datasets", self.dataset_id, "export", query=query).body.splitlines()
        return [{name: each[name] for name in COLUMNS} for each in map(json.loads, lines)]

    def _pages(self, path: str, **asked: Any) -> Iterator[Any]:
        query = {**asked, "limit": _PAGE}
        while True:
            found = self._ask("GET", path, query=urlencode(query))
            yield from found["items"]
            if found["next_page_token"] is None:
                return
            query["page_token"] = found["next_page_token"]

    def _ask(self, method: str, *path: str, body: Mapping[str, Any] | None = None, query: str = "") -> Any:
        return self._client.ask(method, "datasets", self.dataset_id, *path, body=body, query=query)

    def _check_latest(self) -> None:
        if self._pinned is not None:
            raise EvaluationConflict(
                f"version {self._pinned} of the dataset {brief(self.name)} stays as it is; merge into get_dataset("
                f"{self.name!r}) and not into what at() gave"
            )

    def _learn(self, found: Mapping[str, Any]) -> "Dataset":
        self.merged = MergedRecords(**{name: found[name] for name in MergedRecords.__dataclass_fields__})
        self._found |= {"version": found["version"], "records": found["records"]}
        return self


def create_dataset(name: str, *, description: str = "", tags: Mapping[str, str] | None = None) -> Dataset:
    """Make an empty dataset. Raises ``HanseiError``, also where there is one of that name."""
    client = EvaluationClient()
    body = {"name": name, "description": description, "tags": dict(tags or {})}
    return Dataset(client, client.ask("POST", "datasets", body=body))


def get_dataset(name: str | None = None, *, dataset_id: str | None = None) -> Dataset:
    """A dataset in its latest version, by its name or its id. Raises ``HanseiError``, also where there is none."""
    return _found(EvaluationClient(), name, dataset_id)


def search_datasets(
    *, contains: str = "", tags: Mapping[str, str] | None = None, max_results: int = 1000
) -> list[Dataset]:
    """The datasets whose name contains a text, in any case, and that have these tags, the newest first.

    Raises ``HanseiError``.
    """
    client = EvaluationClient()
    query = {"contains": contains, "tags": json.dumps(dict(tags)) if tags else ""}
    found: list[Dataset] = []
    while len(found) < max_results:
        query["limit"] = str(min(_PAGE, max_results - len(found)))
        page = client.ask("GET", "datasets", query=urlencode(query))
        found += [Dataset(client, each) for each in page["items"]]
        if page["next_page_token"] is None:
            break
        query["page_token"] = page["next_page_token"]
    return found


def delete_dataset(name: str | None = None, *, dataset_id: str | None = None) -> None:
    """Take a dataset away, with all its versions. Raises ``HanseiError``, also where there is none."""
    client = EvaluationClient()
    client.ask("DELETE", "datasets", _found(client, name, dataset_id).dataset_id)


def _found(client: EvaluationClient, name: str | None, dataset_id: str | None) -> Dataset:
    if (name is None) == (dataset_id is None):
        raise InvalidEvaluation("name, dataset_id: give one of the two")
    if dataset_id is not None:
        return Dataset(client, client.ask("GET", "datasets", str(dataset_id)))
    items = client.ask("GET", "datasets", query=urlencode({"name": name}, errors="replace"))["items"]
    if not items:
        raise UnknownEvaluation(f"there is no dataset of the name {brief(name)}; create_dataset makes one")
    return Dataset(client, items[0])


def _note(records: object) -> str:
    if isinstance(records, str | os.PathLike):
        return f"file {Path(records).name}"[:500]
    return ""
