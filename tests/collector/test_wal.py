"""The write-ahead log: what ``append`` returned for is on disk, and nothing else is ever read back."""

import errno
import os
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hansei.collector.segment import OpenSegment, Segment, frame, record_ranges, recover, valid_prefix, varint
from hansei.collector.wal import LogFull, LogUnavailable, Room, Wal

_payloads = st.lists(
    st.one_of(st.binary(max_size=300), st.just(b""), st.binary(min_size=120, max_size=140)), max_size=8
)


def _records(payloads: list[bytes]) -> list[bytes]:
    return [head + payload + trailer for payload in payloads for head, trailer in (frame(payload),)]


def _payloads_in(data: bytes) -> list[bytes]:
    """The requests in a segment, without their frames."""
    return [data[start:stop][len(varint(stop - start)) :][:-10] for start, stop in record_ranges(data)]


# --- framing ---


@given(payloads=_payloads)
def test_records_are_found_again(payloads: list[bytes]) -> None:
    """A segment of any requests is whole, and its records are those requests in order."""
    records = _records(payloads)
    data = b"".join(records)
    assert [data[start:stop] for start, stop in record_ranges(data)] == records
    assert valid_prefix(data) == len(data)


@given(payloads=_payloads, data=st.data())
def test_truncation_leaves_whole_records(payloads: list[bytes], data: st.DataObject) -> None:
    """A segment cut anywhere keeps exactly the records that end before the cut."""
    records = _records(payloads)
    whole = b"".join(records)
    cut = data.draw(st.integers(0, len(whole)))
    kept = 0
    for record in records:
        if kept + len(record) > cut:
            break
        kept += len(record)
    assert valid_prefix(whole[:cut]) == kept


@given(payloads=_payloads.filter(bool), data=st.data())
def test_damage_ends_the_prefix(payloads: list[bytes], data: st.DataObject) -> None:
    """A segment with a changed byte keeps exactly the records before the one that was hit."""
    records = _records(payloads)
    damaged = bytearray(b"".join(records))
    position = data.draw(st.integers(0, len(damaged) - 1))
    damaged[position] ^= data.draw(st.integers(1, 255))
    before = 0
    for record in records:
        if before + len(record) > position:
            break
        before += len(record)
    assert valid_prefix(bytes(damaged)) == before


@given(garbage=st.binary(max_size=400))
def test_garbage_is_no_record(garbage: bytes) -> None:
    """Bytes that no log wrote hold no record, and reading them raises nothing."""
    list(record_ranges(garbage))
    assert valid_prefix(garbage) == 0


@given(payloads=_payloads, zeros=st.integers(1, 5000))
def test_zeros_after_the_end_are_no_records(payloads: list[bytes], zeros: int) -> None:
    """A tail of zeros, as some file systems leave after power loss, is cut off."""
    data = b"".join(_records(payloads))
    assert valid_prefix(data + bytes(zeros)) == len(data)


# --- recovery ---


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(payloads=_payloads, torn=st.binary(max_size=40))
def test_open_segment_is_recovered(tmp_path: Path, payloads: list[bytes], torn: bytes) -> None:
    """The segment that a crash left open is cut to its whole records and closed; an empty one is removed."""
    directory = tmp_path / "log"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    data = b"".join(_records(payloads))
    (directory / "1-a.open").write_bytes(data + torn[: valid_prefix(torn) or len(torn)])
    found = [(segment.name, segment.size, segment.path.read_bytes()) for segment in recover(directory)]
    assert found == ([("1-a", len(data), data)] if data else [])
    assert [path.name for path in directory.iterdir()] == (["1-a.segment"] if data else [])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(payloads=_payloads)
def test_halves(tmp_path: Path, payloads: list[bytes]) -> None:
    """A segment's halves have its records in their order, and stand in its place; a single record has no halves."""
    directory = tmp_path / "log"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    path = directory / "1.segment"
    path.write_bytes(b"".join(_records(payloads)))
    halves = Segment(path, path.stat().st_size).halve()
    assert len(halves) == (2 if len(payloads) > 1 else 0)
    assert list(recover(directory)) == (halves or [Segment(path, path.stat().st_size)])
    found = [_payloads_in(segment.path.read_bytes()) for segment in recover(directory)]
    assert [payload for half in found for payload in half] == payloads
    assert all(found) or not payloads
    assert all(segment.size == segment.path.stat().st_size for segment in halves)
    assert all(segment.path.stat().st_mode & 0o077 == 0 for segment in halves)


def test_halves_beside_the_whole(tmp_path: Path) -> None:
    """A crash before the whole is gone leaves the whole: nothing of the halves can have been inserted."""
    for name in ("1", "1-a", "1-b", "2-a", "2-a-a", "3-b"):
        (tmp_path / f"{name}.segment").write_bytes(_records([name.encode()])[0])
    assert [segment.name for segment in recover(tmp_path)] == ["1", "2-a", "3-b"]
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["1", "2-a", "3-b"]


def test_recovery_goes_by_age(tmp_path: Path) -> None:
    """What a run left is handed on oldest first, closed and open alike, and half-inserted parts are removed."""
    for name in ("3-c.segment", "1-a.segment", "2-b.open", "1-a.part"):
        (tmp_path / name).write_bytes(_records([name.encode()])[0])
    assert [segment.name for segment in recover(tmp_path)] == ["1-a", "2-b", "3-c"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1-a.segment", "2-b.segment", "3-c.segment"]


# --- the log ---


class Log:
    """A log over a folder, and what it has handed on."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.closed: list[Segment] = []
        self.room = Room(1 << 30)
        self.failure: OSError | None = None
        self.syncs = 0
        self.gate = threading.Event()
        self.gate.set()

    def open(self, *, segment_bytes: int = 1 << 20, segment_age: float = 3600, segment_items: int = 1 << 30) -> Wal:
        return Wal(
            self.directory,
            self.room,
            self.closed.append,
            segment_bytes=segment_bytes,
            segment_age=segment_age,
            segment_items=segment_items,
            sync=self.sync,
        )

    def sync(self, fd: int) -> None:
        self.syncs += 1
        self.gate.wait()
        if self.failure is not None:
            raise self.failure
        os.fdatasync(fd)

    def requests(self) -> list[bytes]:
        """The requests in all closed segments."""
        return [payload for segment in self.closed for payload in _payloads_in(segment.path.read_bytes())]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """A log's surroundings."""
    return Log(tmp_path / "wal" / "traces")


def test_close_hands_on_what_was_appended(log: Log) -> None:
    """Closing the log closes its open segment: all that was appended is in closed segments, in order."""
    wal = log.open()
    for payload in (b"one", b"", b"three"):
        wal.append(payload)
    assert log.closed == []
    wal.close()
    assert log.requests() == [b"one", b"", b"three"]
    assert log.room.used == sum(segment.size for segment in log.closed)


def test_segments_are_closed_by_size(log: Log) -> None:
    """A segment that has grown past the size is closed, and the next request begins another."""
    wal = log.open(segment_bytes=100)
    wal.append(b"x" * 200)
    wal.append(b"y" * 200)
    wal.append(b"z")
    wal.close()
    assert [_payloads_in(segment.path.read_bytes()) for segment in log.closed] == [[b"x" * 200], [b"y" * 200], [b"z"]]


def test_segments_are_closed_by_items(log: Log, wait: Callable[[Callable[[], object], str], None]) -> None:
    """A segment is closed once it holds enough items, however small they are; the next one counts anew."""
    wal = log.open(segment_items=10)
    for _ in range(4):
        wal.append(b"x", 5)
    wait(lambda: len(log.closed) == 2, "two segments of ten items")
    wal.append(b"x", 9)
    wal.close()
    assert [len(list(segment.records())) for segment in log.closed] == [2, 2, 1]


def test_segments_are_closed_by_age(log: Log, wait: Callable[[Callable[[], object], str], None]) -> None:
    """A segment with something in it is closed after its age, without another request."""
    wal = log.open(segment_age=0.01)
    wal.append(b"alone")
    wait(lambda: log.closed, "the segment to be closed")
    assert log.requests() == [b"alone"]
    wal.close()


def test_requests_share_a_sync(log: Log, wait: Callable[[Callable[[], object], str], None]) -> None:
    """Requests that come while the disk is busy are synced together, and each returns only after that."""
    log.gate.clear()
    wal = log.open()
    returned: list[bytes] = []

    def append(payload: bytes) -> None:
        wal.append(payload)
        returned.append(payload)

    first = threading.Thread(target=append, args=(b"first",))
    first.start()
    wait(lambda: log.syncs == 1, "the first sync")
    others = [threading.Thread(target=append, args=(bytes([number]),)) for number in range(20)]
    for thread in others:
        thread.start()
    wait(lambda: len(wal._pending.buffers) == 60, "twenty requests to wait")
    assert returned == []
    log.gate.set()
    for thread in (first, *others):
        thread.join()
    assert log.syncs == 2
    assert sorted(returned) == sorted([b"first", *(bytes([number]) for number in range(20))])
    wal.close()
    assert sorted(log.requests()) == sorted(returned)


def test_concurrent_appends_all_arrive(log: Log) -> None:
    """What any number of threads append arrives once each, whatever segments it goes into."""
    wal = log.open(segment_bytes=2000)

    def append(thread: int) -> None:
        for number in range(50):
            wal.append(f"{thread}/{number}".encode() * 5)

    threads = [threading.Thread(target=append, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wal.close()
    assert sorted(log.requests()) == sorted(f"{t}/{n}".encode() * 5 for t in range(8) for n in range(50))
    assert log.room.used == sum(segment.size for segment in log.closed)


def test_failed_sync_is_not_acknowledged(log: Log) -> None:
    """After a failed sync the request is refused and not in the log; what came before is, what comes after goes on."""
    wal = log.open()
    wal.append(b"before")
    log.failure = OSError(errno.EIO, "Input/output error")
    with pytest.raises(LogUnavailable, match="Input/output error"):
        wal.append(b"lost")
    assert log.requests() == [b"before"]
    with pytest.raises(LogUnavailable):
        wal.append(b"lost too")
    log.failure = None
    wal.append(b"after")
    wal.close()
    assert log.requests() == [b"before", b"after"]
    assert log.room.used == sum(segment.size for segment in log.closed)
    assert {path.suffix for path in log.directory.iterdir()} == {".segment"}


def test_unwritable_folder_is_not_acknowledged(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be made refuses the request, and the next one is tried anew."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    wal = log.open()
    with monkeypatch.context() as patch:
        patch.setattr("hansei.collector.wal.OpenSegment", refuse)
        with pytest.raises(LogUnavailable, match="No space left on device"):
            wal.append(b"lost")
    wal.append(b"after")
    wal.close()
    assert log.requests() == [b"after"]
    assert log.room.used == log.closed[0].size


def test_full_log_refuses(log: Log) -> None:
    """Past the bound a request is refused, and taken once there is room again."""
    log.room = Room(100)
    wal = log.open(segment_bytes=1)
    wal.append(b"x" * 60)
    used = log.room.used
    with pytest.raises(LogFull, match=f"{used} bytes wait to be inserted, of 100 allowed"):
        wal.append(b"y" * 60)
    assert log.room.used == used
    log.room.give_back(used)
    wal.append(b"z" * 60)
    wal.close()
    assert log.requests() == [b"x" * 60, b"z" * 60]


def test_closed_log_refuses(log: Log) -> None:
    """A request that comes after the close is refused, not lost and not counted."""
    wal = log.open()
    wal.close()
    with pytest.raises(LogUnavailable, match="shutting down"):
        wal.append(b"late")
    assert log.room.used == 0
    assert list(log.directory.iterdir()) == []


def test_leftovers_count_and_come_first(log: Log) -> None:
    """What an earlier run left is handed on before anything new, and counts as waiting."""
    log.directory.mkdir(parents=True)
    (log.directory / "00000000000000000001-a.open").write_bytes(_records([b"old"])[0] + b"\x99torn")
    wal = log.open()
    assert (log.requests(), log.room.used) == ([b"old"], log.closed[0].size)
    wal.append(b"new")
    wal.close()
    assert log.requests() == [b"old", b"new"]


def test_names_are_never_used_twice(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments have different names even where the clock stands still."""
    monkeypatch.setattr("time.time_ns", lambda: 1_700_000_000_000_000_000)
    wal = log.open(segment_bytes=1)
    for _ in range(10):
        wal.append(b"x")
    wal.close()
    assert len({segment.name for segment in log.closed}) == 10


def test_partial_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write of which the system took only a part is continued where it stopped."""
    real = os.write

    def seven_at_most(fd: int, data: bytes | memoryview) -> int:
        return real(fd, bytes(data)[:7])

    monkeypatch.setattr("os.writev", lambda fd, buffers: seven_at_most(fd, b"".join(buffers)))
    monkeypatch.setattr("os.write", seven_at_most)
    file = OpenSegment(tmp_path)
    records = _records([b"a" * 50, b"b" * 50])
    file.write(records, sum(map(len, records)), os.fdatasync)
    segment = file.close()
    assert segment is not None
    assert segment.path.read_bytes() == b"".join(records)


# --- a disk that is really full ---


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KB; needs the right to mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("a file system cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_full_disk(log: Log, tiny_disk: Path) -> None:
    """On a full disk requests are refused; all that was acknowledged is whole; with space again it goes on."""
    log.directory = tiny_disk / "traces"
    wal = log.open()
    acknowledged = []
    for number in range(100):
        payload = number.to_bytes(2) * 10_000
        try:
            wal.append(payload)
        except LogUnavailable as error:
            assert "No space left on device" in str(error)  # noqa: PT017
        else:
            acknowledged.append(payload)
    assert 5 < len(acknowledged) < 100
    assert log.requests() == acknowledged
    assert log.room.used == sum(segment.size for segment in log.closed)
    for segment in log.closed:
        segment.path.unlink()
    log.closed.clear()
    wal.append(b"after")
    wal.close()
    assert log.requests() == [b"after"]


_FILE_SIZE_LIMIT = """
import pathlib, resource, sys
from hansei.collector.wal import LogUnavailable, Room, Wal
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
closed = []
wal = Wal(pathlib.Path(sys.argv[1]), Room(1 << 30), closed.append, segment_bytes=1 << 30, segment_age=3600)
for number in range(12):
    try:
        wal.append(bytes([number]) * 30_000)
    except LogUnavailable as error:
        print(number, "refused", error.__cause__.strerror)
wal.close()
for segment in closed:
    print(segment.size, segment.path.stat().st_size, segment.path.read_bytes()[3])
"""


def test_file_that_may_not_grow(tmp_path: Path) -> None:
    """Where a file may not grow, the request that met the limit is refused and the next begins a new segment."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    done = subprocess.run(
        [sys.executable, "-c", _FILE_SIZE_LIMIT, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines() == [
        "3 refused File too large",
        "7 refused File too large",
        "11 refused File too large",
        "90039 90039 0",
        "90039 90039 4",
        "90039 90039 8",
    ]
