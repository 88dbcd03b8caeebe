"""``hansei serve`` as people and machines meet it: what stops a start, what it answers, what it withstands."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from hansei.collector.migrations import migrations

from .conftest import Ran, Serving

Some = Callable[..., ExportTraceServiceRequest]
Serve = Callable[..., Serving]
Hansei = Callable[..., Ran]
Wait = Callable[[Callable[[], object], str], None]

PORTS = ("--otlp-grpc=127.0.0.1:0", "--otlp-http=127.0.0.1:0", "--ui=127.0.0.1:0", "--sql=127.0.0.1:0")


@pytest.fixture(scope="session")
def nowhere() -> Iterator[str]:
    """The URL of a ClickHouse server that is away: its port is taken, and nobody answers there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://user:secret@127.0.0.1:{taken.getsockname()[1]}/hansei"


def stored(hansei: Hansei, data: Path, *requests: ExportTraceServiceRequest) -> list[int]:
    """How many rows the trace of each request has, in the data of a collector that has ended."""
    ran = hansei(
        "query", "--data", data, "--format", "TSV", "SELECT TraceId, count() FROM otel_traces GROUP BY TraceId"
    )
    assert (ran.code, ran.err) == (0, "")
    counts = {trace: int(count) for trace, count in (line.split("\t") for line in ran.out.splitlines())}
    return [counts.get(request.resource_spans[0].scope_spans[0].spans[0].trace_id.hex(), 0) for request in requests]


def logged(data: Path) -> int:
    """Bytes in the write-ahead log."""
    return sum(path.stat().st_size for path in (data / "wal").rglob("*") if path.is_file())


# --- what stops a start ---


def refused(ran: Ran) -> str:
    """The one line with which a command has refused to go on."""
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1), ran.err
    assert ran.err.startswith("hansei: ")
    return ran.err.removeprefix("hansei: ").strip()


def test_second_collector(serve: Serve, hansei: Hansei, clients: Any, some_spans: Some) -> None:
    """A second collector on the same data is told who holds it; the first one goes on."""
    first = serve()
    for command in (["serve", *PORTS], ["migrate"]):
        said = refused(hansei(*command, "--data", first.data))
        assert said.startswith(
            f"the data folder {first.data} is held by a hansei process (pid {first.process.pid}, since "
        )
        assert said.endswith("); stop it, or choose another folder with --data")
    request = some_spans(3)
    client = clients["grpc"](first.grpc)
    assert client.export(request.SerializeToString()).code == "OK"
    client.close()
    assert first.end() == 0
    assert stored(hansei, first.data, request) == [3]


@pytest.mark.parametrize("key", ["otlp_grpc", "otlp_http", "ui", "sql"])
def test_taken_port(serving: Serving, hansei: Hansei, tmp_path: Path, key: str) -> None:
    """A port that is taken is named, with the flag that chooses another."""
    flag = "--" + key.replace("_", "-")
    said = refused(hansei("serve", "--data", tmp_path / "data", *PORTS, f"{flag}={serving.grpc}"))
    assert said.startswith(f"{key}: cannot listen on {serving.grpc}: ")
    assert said.endswith(f"; choose another with {flag} HOST:PORT")


@pytest.mark.parametrize("place", ["", "hansei.lock", "clickhouse", "wal", "wal/logs"])
def test_file_in_the_way(hansei: Hansei, tmp_path: Path, place: str) -> None:
    """Where something else is in the place of a folder or file of the data, that place is named."""
    obstacle = tmp_path / "data" / place
    obstacle.parent.mkdir(parents=True, exist_ok=True)
    if place == "hansei.lock":
        obstacle.mkdir()
    else:
        obstacle.write_text("in the way")
    said = refused(hansei("serve", "--data", tmp_path / "data", *PORTS))
    assert str(tmp_path / "data") in said
    assert "cannot be used: " in said


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


def test_read_only_disk(hansei: Hansei, disk: Callable[[str], Path]) -> None:
    """A folder that cannot be written is named, with the reason."""
    place = disk("ro")
    said = refused(hansei("serve", "--data", place, *PORTS))
    assert said == f"the data folder {place} cannot be used: Read-only file system"


@pytest.mark.parametrize("url", ["localhost:8123", "http://user:secret@host:port/database"])
def test_bad_url(hansei: Hansei, tmp_path: Path, url: str) -> None:
    """What is not the address of a ClickHouse server is shown without its password, with what one looks like."""
    said = refused(hansei("serve", "--data", tmp_path / "data", *PORTS, "--clickhouse", url))
    assert "is not the address of a ClickHouse server; write http://user:password@host:8123/database" in said
    assert "secret" not in said


def test_open_to_others_without_a_key(hansei: Hansei, tmp_path: Path) -> None:
    """A listener that others can reach needs a key; the line says how to set one."""
    said = refused(hansei("serve", "--data", tmp_path / "data", *PORTS, "--otlp-http=0.0.0.0:0"))
    assert said.endswith("no key protects it; set HANSEI_API_KEY or listen on 127.0.0.1")
    assert not (tmp_path / "data").exists()


def test_unknown_flag(hansei: Hansei) -> None:
    """A flag that is not there is named, with where to look."""
    assert refused(hansei("serve", "--wal-size=1GiB")) == "unrecognized arguments: --wal-size=1GiB; see hansei --help"


def test_newer_schema(hansei: Hansei, tmp_path: Path) -> None:
    """Data of a later version is left alone, and the line says to upgrade."""
    data = tmp_path / "data"
    assert hansei("migrate", "--data", data).code == 0
    later = "INSERT INTO hansei_schema (Version, Name) SELECT 9000, '9000_later.sql'"
    assert hansei("query", "--data", data, later).code == 0
    newest = max(migration.version for migration in migrations())
    for command in (["serve", *PORTS], ["migrate"]):
        assert refused(hansei(*command, "--data", data)) == (
            f"the store has schema 9000 (9000_later.sql), newer than this hansei, which knows {newest}; upgrade hansei"
        )


# --- what a machine asks ---


def test_health_and_metrics(serve: Serve, clients: Any, some_spans: Some) -> None:
    """It is healthy and ready, and counts what it accepted, refused and stored."""
    serving = serve()
    sender = clients["grpc"](serving.grpc), clients["http"](serving.http)
    for client in sender:
        assert client.export(some_spans(7).SerializeToString()).code == "OK"
        assert client.export(b"\x00").code == "INVALID_ARGUMENT"
        client.close()
    serving.wait_stored()
    assert serving.get("/healthz") == (200, "ok\n")
    status, _ = serving.get("/readyz")
    assert status == 200
    assert serving.ready() == {
        "ready": True, "store": "ok", "waiting_bytes": 0, "waiting_segments": 0, "dead_letters": 0,
    }  # fmt: skip
    status, text = serving.get("/metrics")
    metrics = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert status == 200
    for transport in ("grpc", "http"):
        labels = f'signal="traces",transport="{transport}"'
        assert metrics[f"hansei_accepted_items_total{{{labels}}}"] == "7.0"
        assert metrics[f'hansei_refused_requests_total{{reason="malformed",{labels}}}'] == "1.0"
    assert metrics["hansei_wal_bytes"] == metrics["hansei_insert_failures_total"] == "0.0"
    assert float(metrics["hansei_inserted_bytes_total"]) > 0
    assert serving.get("/nothing")[0] == 404


def test_key_on_the_pages(serve: Serve) -> None:
    """With a key, metrics ask for it; health does not, since probes have none."""
    serving = serve(HANSEI_API_KEY="s3cret")
    assert [serving.get(path)[0] for path in ("/healthz", "/readyz", "/metrics")] == [200, 200, 401]
    assert serving.get("/metrics", Authorization="Bearer wrong")[0] == 401
    assert serving.get("/metrics", Authorization="Bearer s3cret")[0] == 200


def test_interrupt(serve: Serve) -> None:
    """Ctrl-C ends it as SIGTERM does."""
    serving = serve()
    serving.process.send_signal(signal.SIGINT)
    assert serving.process.wait(60) == 0
    serving.end()
    assert (serving.said, serving.errors()) == ("stopping: no new requests; storing what is logged\n", "")


# --- what it withstands ---


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
    assert ready["store"].startswith(f"ClickHouse at {name} refused or did not answer: ")
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
