"""What a row of an exported list holds, in every format."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class Column:
    """A column."""

    name: str
    type: str
    """ClickHouse's, by which Parquet's is chosen."""
    is_json: bool = False
    """Whether its values are any JSON: themselves in JSON, and text elsewhere."""


Row = Sequence[Any]
"""The values, in the order of the columns; moments are ISO 8601 texts."""


def json_line(columns: Sequence[Column], row: Row) -> str:
    """A row as an object of JSON."""
    return _dumped({column.name: value for column, value in zip(columns, row, strict=True)})


def flat_values(columns: Sequence[Column], row: Row) -> list[Any]:
    """The values with JSON as text."""
    return [
        _dumped(value) if column.is_json and value is not None else value
        for column, value in zip(columns, row, strict=True)
    ]


def csv_values(columns: Sequence[Column], row: Row) -> list[Any]:
    """The values as they stand in CSV, booleans as in JSON."""
    return [_dumped(value) if isinstance(value, bool | list) else value for value in flat_values(columns, row)]


def iso_of_nanoseconds(nanoseconds: int) -> str:
    """ISO 8601, with all its digits."""
    seconds, rest = divmod(nanoseconds, 10**9)
    return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def iso_of_milliseconds(milliseconds: int | None) -> str | None:
    """ISO 8601; None where there is none."""
    if milliseconds is None:
        return None
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def iso_of_datetime(moment: datetime) -> str:
    """ISO 8601; without a time zone it is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return f"{aware.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%S.%f}Z"


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
