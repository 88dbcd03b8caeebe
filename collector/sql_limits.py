"""The settings that a statement of the SQL endpoint runs with: what its caller may choose, within the limits."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from hansei.collector.sql_allowed import BOUNDED_SETTINGS, IGNORED_SETTINGS, SETTINGS
from hansei.collector.sql_engine import literal
from hansei.collector.sql_errors import SqlError

_NUMBER = re.compile(r"(\d+)(\.\d*)?")
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)

_ROW_GROUP = 32 << 20
"""Bytes of rows that Parquet gathers before it writes; the engine's own 512 MiB are more than a query may have."""
_SPILLED = 2
"""Times the memory of a query may go to disk, where the engine sorts or joins there."""
_FREE_DISK = 1 << 30
"""Bytes that spilling leaves to the write-ahead log and the tables."""
NICENESS = 10
"""Of threads that work for readers: ingest goes first where the processor is short."""


@dataclass(frozen=True)
class Limits:
    """What one reader's query may take."""

    seconds: float
    memory: int
    """Bytes."""
    queries: int
    """How many run at a time; more wait their turn."""
    threads: int = max(1, (os.cpu_count() or 1) // 2)

    def reader_settings(self, url: Mapping[str, str], statement: Mapping[str, str]) -> dict[str, bytes]:
        """Names and literals. ``url``: values as they came; ``statement``: as SQL literals, which win.

        Raises :class:`SqlError` 164 for a setting that is not a reader's to change.
        """
        found = {
            "max_execution_time": b"%g" % self.seconds,
            "max_memory_usage": b"%d" % self.memory,
            "max_temporary_data_on_disk_size_for_query": b"%d" % (_SPILLED * self.memory),
            "min_free_disk_space_for_temporary_data": b"%d" % _FREE_DISK,
            "max_threads": b"%d" % self.threads,
            "os_threads_nice_value_query": b"%d" % NICENESS,
            # One block after another: a result is held by nobody, and needs a few megabytes on its way.
            "output_format_parallel_formatting": b"0",
            "output_format_parquet_parallel_encoding": b"0",
            "output_format_parquet_row_group_size_bytes": b"%d" % _ROW_GROUP,
        }
        asked = {name: literal(value.encode()) for name, value in url.items()}
        asked |= {name: value.encode(errors="surrogateescape") for name, value in statement.items()}
        for name, value in asked.items():
            if name in BOUNDED_SETTINGS:
                found[name] = _lower(name, value, found.get(name))
            elif name in SETTINGS:
                found[name] = value
            elif name not in IGNORED_SETTINGS and not (name == "readonly" and value.strip(b"'") in (b"1", b"2")):
                raise SqlError(164, "READONLY", f"Cannot modify '{name}' setting in readonly mode")
        return found


def admin_settings(url: Mapping[str, str], statement: Mapping[str, str]) -> dict[str, bytes]:
    """Names and literals of everything that an administrator sets. Raises :class:`SqlError` for what is no name."""
    for name in url:
        if not _NAME.fullmatch(name):
            raise SqlError(115, "UNKNOWN_SETTING", f"Unknown setting '{name}'")
    return {name: literal(value.encode()) for name, value in url.items()} | {
        name: value.encode(errors="surrogateescape") for name, value in statement.items()
    }


def _lower(name: str, value: bytes, limit: bytes | None) -> bytes:
    number = value.strip(b"'").decode(errors="replace")
    if not _NUMBER.fullmatch(number):
        raise SqlError(72, "CANNOT_PARSE_NUMBER", f"Cannot parse the setting '{name}': {number!r} is not a number")
    # Zero stands for no limit, which is not a lower one.
    if limit is None or (0 < float(number) < float(limit)):
        return number.encode()
    return limit
