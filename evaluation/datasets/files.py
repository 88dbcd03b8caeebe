"""Records of files: JSON lines, CSV or Parquet, as they are exported, or of one's own."""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Final

from hansei.evaluation.datasets.given import FIELDS
from hansei.evaluation.errors import EvaluationError, InvalidEvaluation
from hansei.evaluation.json_text import json_or_text, plain_json
from hansei.feedback.api.json_text import InvalidJson, parsed
from hansei.feedback.labeling.texts import brief

FORMATS: Final = ("jsonl", "csv", "parquet")
_JSON: Final = ("inputs", "outputs", "expectations", "tags", "source")
_EXPECTED: Final = "expectations."
_MARK: Final = b"\xef\xbb\xbf"
"""That some editors put before a text in UTF-8."""
_ENDINGS: Final = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}
_PROGRAM: Final = """
import sys, chdb
connection = chdb.connect(":memory:?max_server_memory_usage=536870912")
try:
    connection.query(
        "SELECT * FROM file({path:String}, Parquet) INTO OUTFILE '/dev/fd/1' TRUNCATE FORMAT JSONEachRow "
        "SETTINGS max_threads = 1, max_block_size = 1024, output_format_json_quote_64bit_integers = 0",
        "Null", params={"path": sys.argv[1]},
    )
except Exception as error:
    sys.exit(str(error).splitlines()[0][:300])
"""


def format_of(name: str) -> str:
    """The format of a file, by the ending of its name. Raises ``InvalidEvaluation``."""
    found = _ENDINGS.get(Path(name).suffix.lower())
    if found is None:
        raise InvalidEvaluation(f"file: the name {name[:200]!r} does not end in one of {', '.join(_ENDINGS)}")
    return found


def records_of_file(path: Path, file_format: str) -> Iterator[dict[str, Any]]:
    """The records of a file, one after the other.

    Columns that have other names than a record's fields are members of its inputs, or, as ``expectations.NAME``, of its
    expectations. Raises ``InvalidEvaluation`` with the line at which a file is wrong, ``EvaluationError`` where Parquet
    cannot be read here.
    """
    try:
        if file_format == "parquet":
            yield from map(_flat_record, map(plain_json, _parquet_rows(path)))
            return
        if file_format == "jsonl":
            with path.open("rb") as lines:
                yield from _lines(lines)
        else:
            with path.open(encoding="utf-8-sig", newline="") as table:
                yield from _csv_rows(table)
    except OSError as error:
        raise InvalidEvaluation(f"file: {str(path)!r} cannot be read: {error.strerror}") from error


def _lines(content: IO[bytes]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(content, 1):
        text = line.strip().removeprefix(_MARK) if number == 1 else line.strip()
        if not text:
            continue
        try:
            found = parsed(text)
        except InvalidJson as error:
            raise InvalidEvaluation(f"file: line {number} is not JSON: {error}") from None
        if not isinstance(found, dict):
            raise InvalidEvaluation(f"file: line {number} is not an object with inputs or a trace_id")
        yield _record(found)


def _csv_rows(content: IO[str]) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(2**31 - 1)
    rows = csv.reader(content, strict=True)
    try:
        heading = next(rows, [])
        for row in rows:
            if not row:
                continue
            if len(row) != len(heading):
                raise InvalidEvaluation(
                    f"file: line {rows.line_num} has {len(row)} cells, where the heading has {len(heading)}"
                )
            yield _flat_record({name: cell for name, cell in zip(heading, row, strict=True) if cell != ""})
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidEvaluation(f"file: line {rows.line_num} is not CSV: {error}") from None


def _parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    if find_spec("pyarrow") is not None:
        import pyarrow.parquet  # type: ignore[import-untyped]

        try:
            with pyarrow.parquet.ParquetFile(path) as opened:
                for batch in opened.iter_batches(1024):
                    yield from batch.to_pylist()
        except pyarrow.ArrowInvalid as error:
            raise InvalidEvaluation(f"file: it is not Parquet: {str(error)[:200]}") from None
    elif find_spec("chdb") is not None:
        yield from parquet_rows_by_engine(path)
    else:
        raise EvaluationError("reading Parquet needs pyarrow: pip install pyarrow; or give JSON lines")


def parquet_rows_by_engine(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a Parquet file, read by the ClickHouse engine in a process of its own.

    Raises ``InvalidEvaluation``.
    """
    command = [sys.executable, "-c", _PROGRAM, str(path.resolve())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        try:
            for line in process.stdout:
                yield json.loads(line)
            said = process.stderr.read().decode(errors="replace").strip()
        except GeneratorExit:
            process.kill()
            raise
    if process.returncode:
        raise InvalidEvaluation(f"file: it is not Parquet: {said.splitlines()[-1][:200] if said else 'it broke off'}")


def _flat_record(row: Mapping[str, Any]) -> dict[str, Any]:
    """Of columns, in which JSON is text."""
    return _record(
        {
            name: json_or_text(value) if isinstance(value, str) and _may_be_json(name) else value
            for name, value in row.items()
        }
    )


def _may_be_json(name: str) -> bool:
    return name in _JSON or name.startswith(_EXPECTED)


def _record(row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    inputs: dict[str, Any] = {}
    expectations: dict[str, Any] = {}
    for name, value in row.items():
        if value is None:
            continue
        if name in FIELDS:
            found[name] = value
        elif name.startswith(_EXPECTED):
            expectations[name.removeprefix(_EXPECTED)] = value
        else:
            inputs[name.removeprefix("inputs.")] = value
    if expectations:
        told = found.get("expectations", {})
        if not isinstance(told, Mapping):
            raise InvalidEvaluation(f"file: expectations: {brief(told)} is not an object by name")
        found["expectations"] = {**told, **expectations}
    if inputs and "inputs" not in found and "trace_id" not in found:
        found["inputs"] = inputs
    elif inputs:
        first = next(iter(inputs))
        raise InvalidEvaluation(f"file: {first[:80]!r} is no field of a record; there are {', '.join(FIELDS)}")
    return found
