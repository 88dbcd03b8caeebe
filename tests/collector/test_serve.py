"""``hansei serve`` as people and machines meet it: what stops a start, and what it answers."""

import fcntl
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from hansei.cli import _SCHEMA
from hansei.collector.data_lock import DataLock, Holder, holder_of
from hansei.collector.migrations import migrations

from .processes import Ran, Serving

Some = Callable[..., ExportTraceServiceRequest]
Serve = Callable[..., Serving]
Hansei = Callable[..., Ran]

PORTS = ("--otlp-grpc=127.0.0.1:0", "--otlp-http=127.0.0.1:0", "--ui=127.0.0.1:0", "--sql=127.0.0.1:0")


def stored(hansei: Hansei, data: Path, *requests: ExportTraceServiceRequest) -> list[int]:
    """How many rows the trace of each request has, in the data of a collector that has ended."""
    ran = hansei(
        "query", "--data", data, "--format", "TSV", "SELECT TraceId, count() FROM otel_traces GROUP BY TraceId"
    )
    assert (ran.code, ran.err) == (0, "")
    counts = {trace: int(count) for trace, count in (line.split("\t") for line in ran.out.splitlines())}
    return [counts.get(request.resource_spans[0].scope_spans[0].spans[0].trace_id.hex(), 0) for request in requests]


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


def test_looking_for_the_holder_stops_no_start(tmp_path: Path) -> None:
    """A folder that another process only looks at, to find who holds it, is taken as soon as it has looked."""
    for _ in range(3):
        with (tmp_path / "hansei.lock").open("a") as looking:
            fcntl.flock(looking, fcntl.LOCK_SH)
            done = threading.Timer(0.05, looking.close)
            done.start()
            lock = DataLock(tmp_path)
            done.join()
        assert holder_of(tmp_path) == Holder(os.getpid(), lock._since)
        lock.release()
        assert holder_of(tmp_path) is None


@pytest.mark.parametrize("key", ["otlp_grpc", "otlp_http", "sql"])
def test_taken_port(serving: Serving, hansei: Hansei, tmp_path: Path, key: str) -> None:
    """A port that is taken is named, with the flag that chooses another."""
    flag = "--" + key.replace("_", "-")
    said = refused(hansei("serve", "--data", tmp_path / "data", *PORTS, f"{flag}={serving.grpc}"))
    assert said.startswith(f"{key}: cannot listen on {serving.grpc}: ")
    assert said.endswith(f"; choose another with {flag} HOST:PORT")


@pytest.mark.parametrize("place", ["", "hansei.lock", "clickhouse", "wal/logs"])
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


@pytest.mark.parametrize("url", ["localhost:8123", "http://user:secret@host:port/database"])
def test_bad_url(hansei: Hansei, tmp_path: Path, url: str) -> None:
    """What is not the address of a ClickHouse server is shown without its password, with what one looks like."""
    said = refused(hansei("serve", "--data", tmp_path / "data", *PORTS, "--clickhouse", url))
    assert "is not the address of a ClickHouse server; write http://user:password@host:8123/database" in said
    assert "secret" not in said


def test_open_to_others_without_a_key(hansei: Hansei, tmp_path: Path) -> None:
    """A listener that others can reach needs a key; the line says how to set one."""
    said = refused(hansei("serve", "--data", tmp_path / "data", *PORTS, "--otlp-http=0.0.0.0:0"))
    assert said.endswith("set HANSEI_API_KEY, make a key with `hansei keys create`, or listen on 127.0.0.1")
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
    newest = max(migration.version for migration in migrations(_SCHEMA))
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
