"""What ``hansei serve`` withstands: a server that is away, more than may wait, a disk that is full."""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .test_serve import PORTS, Hansei, Serve, Some, refused, stored

Wait = Callable[[Callable[[], object], str], None]


@pytest.fixture(scope="session")
def nowhere() -> Iterator[str]:
    """The URL of a ClickHouse server that is away: its port is taken, and nobody answers there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://user:secret@127.0.0.1:{taken.getsockname()[1]}/hansei"


def logged(data: Path) -> int:
    """Bytes in the write-ahead log."""
    return sum(path.stat().st_size for path in (data / "wal").rglob("*") if path.is_file())


def test_server_that_is_away(serve: Serve, nowhere: str, clients: Any, some_spans: Some, wait: Wait) -> None:
    """Without its ClickHouse server it starts, takes requests, keeps them, says so, and keeps them when it ends."""
    serving = serve(f"--clickhouse={nowhere}", "--segment-age=20ms")
    assert "SQL (ClickHouse HTTP)" not in serving.announced
    sent = 0
    for transport, address in (("grpc", serving.grpc), ("http", serving.http)):
        client = clients[transport](address)
        for _ in range(3):
            payload = some_spans(10).SerializeToString()
            assert client.export(payload).code == "OK"
            sent += len(payload)
        client.close()
    wait(lambda: serving.ready()["waiting_segments"], "a segment to wait")
    ready = serving.ready()
    assert ready["ready"] is True
    assert ready["waiting_bytes"] == logged(serving.data) > sent
    name = nowhere.replace("user:secret@", "")
    assert ready["store"].startswith(f"ClickHouse at {name} refused or did not answer: Connection refused")
    assert serving.end() == 0
    stay = len(list((serving.data / "wal").rglob("*.segment")))
    assert serving.said == (
        "stopping: no new requests; storing what is logged\n"
        f"{stay} segments stay in the write-ahead log and are stored at the next start\n"
    )
    assert logged(serving.data) == ready["waiting_bytes"]
    # One line for the outage, however long it lasts.
    assert serving.errors().count("\n") == 1
    assert "what comes in waits in the write-ahead log" in serving.errors()
    assert "secret" not in serving.errors() + ready["store"]


def test_log_never_passes_its_bound(serve: Serve, nowhere: str, clients: Any, some_spans: Some) -> None:
    """When as much waits as may, requests are refused with the time to come back, and the log does not grow."""
    bound = 200_000
    serving = serve(
        f"--clickhouse={nowhere}", f"--wal-max-size={bound}", "--max-request-size=100000", "--segment-age=20ms"
    )
    for transport, address in (("grpc", serving.grpc), ("http", serving.http)):
        client = clients[transport](address)
        answers = []
        for _ in range(60):
            answers.append(client.export(some_spans(100).SerializeToString()))
            assert logged(serving.data) <= bound
        codes = [(answer.code, answer.http, answer.retry_after) for answer in answers]
        refusal = ("RESOURCE_EXHAUSTED", 429 if transport == "http" else None, 5)
        assert codes[-1] == refusal
        assert {*codes} <= {("OK", None, None), ("OK", 200, None), refusal}
        assert "bytes wait to be inserted, of 200000 allowed; retry later" in answers[-1].message
        client.close()
    assert serving.ready()["waiting_bytes"] == logged(serving.data) > bound * 0.9
    assert serving.get("/healthz")[0] == 200


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """``disk(options)``: a new file system; needs the right to mount one."""
    mounted: list[Path] = []

    def mount(options: str) -> Path:
        place = tmp_path / f"disk-{len(mounted)}"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
            pytest.skip("a file system cannot be mounted here")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_full_disk(
    serve: Serve, hansei: Hansei, clients: Any, some_spans: Some, disk: Callable[[str], Path], wait: Wait
) -> None:
    """On a full disk clients are told to come back; with space again, all that was acknowledged is stored."""
    data = disk("size=16m")
    serving = serve("--segment-age=20ms", data=data)
    senders = clients["grpc"](serving.grpc), clients["http"](serving.http)
    free = os.statvfs(data).f_bavail * os.statvfs(data).f_frsize
    # Too little is left for the engine, which reserves a megabyte, and some for the log.
    (data / "ballast").write_bytes(bytes(free - 600_000))
    taken, refusals = [], []
    for number in range(200):
        request = some_spans(100)
        answer = senders[number % 2].export(request.SerializeToString())
        if answer.code == "OK":
            taken.append(request)
        else:
            refusals.append(answer)
    assert len(taken) > 10
    assert {(a.code, a.http, a.retry_after, a.message.rpartition("] ")[2]) for a in refusals} == {
        ("UNAVAILABLE", None, 2, "No space left on device"),
        ("UNAVAILABLE", 503, 2, "No space left on device"),
    }
    wait(lambda: serving.ready()["store"] != "ok", "the store's trouble to be told")
    assert "not enough space" in serving.ready()["store"]
    (data / "ballast").unlink()
    for sender in senders:
        request = some_spans(100)
        assert sender.export(request.SerializeToString()).code == "OK"
        taken.append(request)
        sender.close()
    serving.wait_stored()
    assert serving.ready()["store"] == "ok"
    assert "the write-ahead log cannot be written: [Errno 28] No space left on device" in serving.errors()
    assert "the write-ahead log is written again" in serving.errors()
    assert serving.end() == 0
    assert stored(hansei, data, *taken) == [100] * len(taken)


def test_start_on_a_full_disk(
    serve: Serve, hansei: Hansei, clients: Any, some_spans: Some, disk: Callable[[str], Path]
) -> None:
    """On a full disk it still starts over its data, and goes on once there is space; a new one says what is missing."""
    data = disk("size=16m")
    assert hansei("migrate", "--data", data / "old").code == 0
    free = os.statvfs(data).f_bavail * os.statvfs(data).f_frsize
    (data / "ballast").write_bytes(bytes(free))
    said = refused(hansei("serve", "--data", data / "new", *PORTS))
    assert "not enough space" in said or "No space left" in said
    serving = serve(data=data / "old")
    client = clients["grpc"](serving.grpc)
    request = some_spans(5)
    assert client.export(request.SerializeToString()).code == "UNAVAILABLE"
    (data / "ballast").unlink()
    assert client.export(request.SerializeToString()).code == "OK"
    client.close()
    assert serving.end() == 0
    assert stored(hansei, data / "old", request) == [5]


def test_read_only_disk(hansei: Hansei, disk: Callable[[str], Path]) -> None:
    """A folder that cannot be written is named, with the reason."""
    place = disk("ro")
    said = refused(hansei("serve", "--data", place, *PORTS))
    assert said == f"the data folder {place} cannot be used: Read-only file system"
