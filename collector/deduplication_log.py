"""Makes the engine's memory of what it inserted true again after a crash, before the engine reads it.

A MergeTree table writes the token of an insert into its deduplication log first, and gives the part its name after
that. A process that is killed between the two leaves a token whose rows are nowhere, and the insert's repetition would
be taken for a duplicate: rows that were acknowledged would be lost. In this engine the order is always this one, so
there is no part without its token.

The log's format is that of ClickHouse's ``MergeTreeDeduplicationLog``: a line an operation, ``1`` for a part that was
added and ``2`` for one that was dropped, then the part and the block's id, separated by tabs.
"""

import os
import re
from bisect import bisect_right
from pathlib import Path

_PART = re.compile(r"([^_]+)_([0-9]+)_([0-9]+)_[0-9]+(?:_[0-9]+)?")
_ADDED, _DROPPED = b"1\t", b"2"


def forget_lost_parts(engine: Path) -> int:
    """Take tokens back whose parts do not exist, in every table of an engine's folder; answers how many.

    To be called before the engine opens the folder: from then on, parts are merged over the gaps. Nothing is added to
    any file, so a full disk does not prevent it. Raises :class:`OSError`.
    """
    return sum(
        _repair(path, table)
        for logs in engine.glob("store/*/*/deduplication_logs")
        for table in (_Parts(logs.parent),)
        for path in sorted(logs.iterdir())
    )


class _Parts:
    """Which blocks of rows a table has, by the names of its parts."""

    def __init__(self, table: Path) -> None:
        self._ranges: dict[str, list[tuple[int, int]]] = {}
        for partition, first, last in sorted(filter(None, map(_range, os.listdir(table)))):
            ranges = self._ranges.setdefault(partition, [])
            if ranges and first <= ranges[-1][1]:
                # Parts are nested where one was merged into another, which stays for a while.
                ranges[-1] = (ranges[-1][0], max(ranges[-1][1], last))
            else:
                ranges.append((first, last))

    def have(self, part: str) -> bool:
        """Whether the part is there, or one that it was merged into."""
        found = _range(part)
        if found is None:
            # A partition of another kind of name: nothing is known, so nothing is changed.
            return True
        partition, block, _ = found
        ranges = self._ranges.get(partition, [])
        at = bisect_right(ranges, block, key=lambda range_: range_[0]) - 1
        return at >= 0 and block <= ranges[at][1]


def _range(part: str) -> tuple[str, int, int] | None:
    match = _PART.fullmatch(part)
    return (match[1], int(match[2]), int(match[3])) if match else None


def _repair(path: Path, parts: _Parts) -> int:
    descriptor = os.open(path, os.O_RDWR)
    try:
        log = path.read_bytes()
        whole = log.rfind(b"\n") + 1
        if whole < len(log):
            # A line that was cut short would spoil the one that is written behind it.
            os.ftruncate(descriptor, whole)
        forgotten = 0
        start = 0
        for line in log[:whole].splitlines(keepends=True):
            if line.startswith(_ADDED) and not parts.have(line.split(b"\t")[1].decode()):
                os.pwrite(descriptor, _DROPPED, start)
                forgotten += 1
            start += len(line)
        if forgotten or whole < len(log):
            os.fsync(descriptor)
        return forgotten
    finally:
        os.close(descriptor)
