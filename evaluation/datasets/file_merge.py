"""Merging a file into a dataset, inside the server."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hansei.evaluation.datasets.files import records_of_file
from hansei.evaluation.datasets.given import Given, given_of
from hansei.evaluation.datasets.merge import MergeResult, merge_upload
from hansei.evaluation.datasets.record import DatasetInfo
from hansei.evaluation.datasets.traces import FromTraces, from_traces
from hansei.evaluation.datasets.uploads import add_to_upload, new_upload_id
from hansei.evaluation.expectations import OnConflict
from hansei.feedback.web.tables import Tables

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class FileMerged:
    """What became of a file."""

    merge: MergeResult
    unknown: int
    without_inputs: int


def merge_file(
    tables: Tables,
    info: DatasetInfo,
    path: Path,
    file_format: str,
    name: str,
    *,
    note: str,
    on_conflict: OnConflict = "skip",
    changed_by: str = "",
) -> FileMerged:
    """Merge all records of a file, or none where one of them is wrong; ``name`` is what the file is called.

    Raises ``InvalidEvaluation``, and what merging raises.
    """
    upload_id = new_upload_id()
    unknown = without_inputs = 0
    for piece in _pieces(path, file_format, name):
        found: FromTraces = from_traces(tables.query, piece)
        unknown += found.unknown
        without_inputs += found.without_inputs
        add_to_upload(tables, upload_id, found.records)
    merge = merge_upload(tables, info, upload_id, note=note, on_conflict=on_conflict, changed_by=changed_by)
    return FileMerged(merge, unknown, without_inputs)


def _pieces(path: Path, file_format: str, name: str) -> Iterator[list[Given]]:
    piece: list[Given] = []
    for number, record in enumerate(records_of_file(path, file_format), 1):
        piece.append(given_of(f"file: record {number}", record, name))
        if len(piece) >= _AT_ONCE:
            yield piece
            piece = []
    if piece:
        yield piece
