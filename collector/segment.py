"""A segment: a file of the write-ahead log, and how its records are framed.

A segment is a file of length-delimited messages, which is ClickHouse's ``FORMAT Protobuf``: a closed segment
is, byte for byte, the body of one ``INSERT``. Each message carries its own checksum as one more protobuf field
(number 1000, ``fixed64``, XXH3 of the bytes before it), which every OTLP reader skips, so that after a power
failure the torn end of a segment can be told from what was acknowledged.

``NAME.open`` is being written; ``NAME.segment`` is closed and never changes again. The name, with a range of
bytes, is the identity under which a segment is inserted, and no name is used twice. ``NAME-a.segment`` and
``NAME-b.segment`` are the halves of one that was too much for one insert; while it is still there, they do not count.
"""

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import xxhash

_CHECKSUM_TAG = b"\xc1\x3e"
"""Field 1000, wire type fixed64."""
_TRAILER = len(_CHECKSUM_TAG) + 8
_MAX_IOVEC = 512
_HALVES = ("-a", "-b")


@dataclass(frozen=True)
class Segment:
    """A closed file of the log."""

    path: Path
    size: int
    """Bytes."""

    @property
    def name(self) -> str:
        """The segment's identity, never used twice."""
        return self.path.stem

    def records(self) -> Iterator[tuple[int, int]]:
        """Where each record begins and ends, in bytes."""
        data = self.path.read_bytes()
        yield from record_ranges(data)

    def halve(self) -> "list[Segment]":
        """Put two segments in the place of this one, durably; none, and no change, where it has but one record."""
        data = self.path.read_bytes()
        records = list(record_ranges(data))
        if len(records) < 2:
            return []
        middle = records[len(records) // 2][0]
        halves = [
            Segment(self.path.with_stem(self.name + suffix), len(half))
            for suffix, half in zip(_HALVES, (data[:middle], data[middle:]), strict=True)
        ]
        for segment, half in zip(halves, (data[:middle], data[middle:]), strict=True):
            write_durably(segment.path, half)
        sync_directory(self.path.parent)
        self.path.unlink()
        # Before either is inserted: with this segment back after a power cut, its rows would be stored twice.
        sync_directory(self.path.parent)
        return halves


class OpenSegment:
    """The file that is being written."""

    def __init__(self, directory: Path) -> None:
        # Ordered by time, and unique even if the clock goes back or a folder is copied.
        self._path = directory / f"{time.time_ns():020d}-{secrets.token_hex(8)}.open"
        self._fd = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
        sync_directory(directory)
        self._born = time.monotonic()
        self.size = 0
        """Bytes known to be on disk."""

    def age(self) -> float:
        """Seconds since it was opened."""
        return time.monotonic() - self._born

    def write(self, buffers: list[bytes], size: int, sync: Callable[[int], None]) -> None:
        """Append and sync; on an error the file holds no more than it did."""
        try:
            for start in range(0, len(buffers), _MAX_IOVEC):
                _write_all(self._fd, buffers[start : start + _MAX_IOVEC])
            sync(self._fd)
        except OSError:
            # After a failed sync the kernel may have dropped the pages and call the next sync a success:
            # only what was synced before is trusted, and this file takes no more.
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self.size)
            raise
        self.size += size

    def close(self) -> Segment | None:
        """Close the file and rename it; ``None`` where it holds nothing.

        Raises ``OSError`` if that fails: the file then stays ``.open``, for :func:`recover` to look at.
        """
        try:
            if os.fstat(self._fd).st_size != self.size:
                os.ftruncate(self._fd, self.size)
        finally:
            os.close(self._fd)
        return _seal(self._path, self.size)


def _write_all(fd: int, buffers: list[bytes]) -> None:
    expected = sum(map(len, buffers))
    written = os.writev(fd, buffers)
    if written < expected:
        rest = memoryview(b"".join(buffers))[written:]
        while rest:
            rest = rest[os.write(fd, rest) :]


def _seal(path: Path, size: int) -> Segment | None:
    """Rename an open segment to a closed one; an empty one is removed."""
    if size == 0:
        path.unlink()
        return None
    closed = path.with_suffix(".segment")
    path.rename(closed)
    sync_directory(path.parent)
    return Segment(closed, size)


def recover(directory: Path) -> Iterator[Segment]:
    """The segments a previous run left, oldest first; an open one is cut to its last whole record and closed."""
    for path in sorted(directory.iterdir()):
        if path.suffix == ".segment":
            if path.stem.endswith(_HALVES) and path.with_stem(path.stem[:-2]).exists():
                # Made in part, and not inserted.
                path.unlink()
            else:
                yield Segment(path, path.stat().st_size)
        elif path.suffix == ".open":
            size = valid_prefix(path.read_bytes())
            with path.open("r+b") as file:
                file.truncate(size)
                os.fsync(file.fileno())
            segment = _seal(path, size)
            if segment is not None:
                yield segment
        elif path.suffix == ".part":
            # Half of a refused segment that was being inserted; it is made anew.
            path.unlink()


def frame(payload: bytes) -> tuple[bytes, bytes]:
    """What goes before and after a request in a segment: its length, its checksum."""
    checksum = xxhash.xxh3_64_intdigest(payload).to_bytes(8, "little")
    return varint(len(payload) + _TRAILER), _CHECKSUM_TAG + checksum


def valid_prefix(data: bytes) -> int:
    """How many bytes of a segment are whole records with a right checksum."""
    end = 0
    for start, stop in record_ranges(data):
        body = data[_after_varint(data, start) : stop]
        payload, trailer = body[:-_TRAILER], body[-_TRAILER:]
        if len(body) < _TRAILER or trailer != frame(payload)[1]:
            break
        end = stop
    return end


def record_ranges(data: bytes) -> Iterator[tuple[int, int]]:
    """Where each whole record of a segment begins and ends; stops at the first that is not whole."""
    start = 0
    while start < len(data):
        body = _after_varint(data, start)
        if body < 0:
            return
        length = 0
        for position in range(body - 1, start - 1, -1):
            length = length << 7 | data[position] & 0x7F
        stop = body + length
        if stop > len(data):
            return
        yield start, stop
        start = stop


def _after_varint(data: bytes, start: int) -> int:
    """The position after the varint at ``start``, -1 where there is none."""
    for position in range(start, min(start + 10, len(data))):
        if data[position] < 0x80:
            return position + 1
    return -1


def varint(number: int) -> bytes:
    """A protobuf varint."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def write_durably(path: Path, data: bytes) -> None:
    """Write a file that its owner alone may read, down to the disk; the name is there once its folder is synced."""
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_directory(directory: Path) -> None:
    """Put a directory's entries on disk."""
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
