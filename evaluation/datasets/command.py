"""``hansei datasets``: datasets of a running hansei, over its API."""

import sys
from pathlib import Path

from hansei.evaluation.datasets.dataset import Dataset, create_dataset, get_dataset, search_datasets
from hansei.evaluation.datasets.files import FORMATS
from hansei.evaluation.errors import InvalidEvaluation, UnknownEvaluation


def print_datasets() -> None:
    """The datasets, a line each, the newest first. Raises ``HanseiError``."""
    rows = [("ID", "NAME", "VERSION", "RECORDS")]
    rows += [(each.dataset_id, each.name, str(each.version), str(each.record_count)) for each in search_datasets()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def export_dataset(name: str, file_format: str | None, version: int | None, output: Path | None) -> None:
    """Write a version to a file or standard output; a file's ending says the format where nothing else does.

    Raises ``HanseiError``.
    """
    if file_format is not None and file_format not in FORMATS:
        raise InvalidEvaluation(f"--format: {file_format!r} is not one of {', '.join(FORMATS)}")
    dataset = _named(name)
    chosen = dataset if version is None else dataset.at(version)
    if output is None:
        sys.stdout.buffer.write(chosen.export_bytes(file_format or FORMATS[0]))
    elif file_format is None:
        chosen.export(output)
    else:
        content = chosen.export_bytes(file_format)
        try:
            output.write_bytes(content)
        except OSError as error:
            raise InvalidEvaluation(f"--output: {str(output)!r} cannot be written: {error.strerror}") from error


def import_dataset(name: str, path: Path, note: str, *, create: bool) -> None:
    """Merge a file into a dataset, and say what became of it. Raises ``HanseiError``."""
    try:
        dataset = _named(name)
    except UnknownEvaluation:
        if not create:
            raise
        dataset = create_dataset(name)
    done = dataset.import_file(path, note=note).merged
    if done is None or not done.is_new:
        print(f"nothing changed: version {dataset.version} has all of it")
        return
    print(f"version {done.version}: {done.added} added, {done.changed} changed, {done.unchanged} as they were")
    left_out = done.unknown_traces + done.without_inputs
    if left_out:
        print(f"{left_out} left out: nothing is stored of their traces, or no inputs")
    if done.conflict_count:
        print(f"{done.conflict_count} expectations are disputed, and left out")


def _named(name: str) -> Dataset:
    try:
        return get_dataset(name)
    except UnknownEvaluation:
        return get_dataset(dataset_id=name)
