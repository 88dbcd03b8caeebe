"""A collector in front of a ClickHouse server, whose part the SQL endpoint of another collector plays."""

import random
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from hansei.cli import _SCHEMA
from hansei.collector.migrations import migrations
from hansei.collector.signals import LOGS

from .ledger import Ledger, files
from .processes import Ran, Serving
from .sql_http import Sql
from .test_serve import PORTS, refused

Wait = Callable[[Callable[[], object], str], None]
Some = Callable[..., ExportTraceServiceRequest]
Serve = Callable[..., Serving]
Hansei = Callable[..., Ran]

KEY = "sesame & co/?@:"
PASSWORD = "sesame%20%26%20co%2F%3F%40%3A"
SMALL_SEGMENTS = ("--segment-age=20ms", "--segment-size=64KiB")


@pytest.fixture
def first(serve: Serve, tmp_path: Path) -> Callable[[], Serving]:
    """``first()``: the server, which may be killed and started again on the same port and data."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return lambda: serve(f"--sql=127.0.0.1:{port}", data=tmp_path / "first", HANSEI_ADMIN_KEY=KEY)


def url(server: Serving, database: str = "second", password: str = PASSWORD) -> str:
    """The address of the server, for ``--clickhouse``."""
    return f"http://admin:{password}@{server.sql}/{database}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server that many tests use."""
    running = Serving(tmp_path_factory.mktemp("server") / "data", HANSEI_ADMIN_KEY=KEY)
    yield running
    said = running.errors()
    running.close()
    assert said == ""


def settle(ledger: Ledger, second: Serving, hansei: Hansei, address: str) -> None:
    """Compare with the server's tables, once the collector in front of it has ended."""
    assert files(second.data) == []
    ledger.settle(second.data, lambda *arguments: hansei("query", "--clickhouse", address, *arguments[3:]))


def test_rows_arrive_once(
    server: Serving, serve: Serve, hansei: Hansei, clients: Any, ledger: Ledger, some_spans: Some
) -> None:
    """The schema is made in a database of its own, and spans and logs of either protocol are in it, once."""
    second = serve(f"--clickhouse={url(server, 'arriving')}", *SMALL_SEGMENTS)
    draw = random.Random(0)
    for transport, address in (("grpc", second.grpc), ("http", second.http)):
        with closing(clients[transport](address)) as client:
            assert all(ledger.send(client, draw) for _ in range(30))
    second.wait_stored()
    assert second.ready()["store"] == "ok"
    assert (second.end(), second.errors()) == (0, "")
    settle(ledger, second, hansei, url(server, "arriving"))
    tables = Sql(server.sql).get("SHOW TABLES", database="arriving").body.decode().split()
    assert {"otel_traces", "otel_logs", "genai_calls", "genai_sessions", "model_prices"} <= set(tables)
    assert Sql(server.sql).get("SELECT count() FROM default.otel_traces").body == b"0\n"


def test_large_segment(server: Serving, serve: Serve, clients: Any, some_spans: Some) -> None:
    """Megabytes in one insert arrive whole, with whatever text is in them."""
    second = serve(f"--clickhouse={url(server, 'large')}")
    logs = ExportLogsServiceRequest()
    records = logs.resource_logs.add().scope_logs.add().log_records
    for number in range(20_000):
        records.add(time_unix_nano=1 + number).body.string_value = f"{number} INSERT INTO x FORMAT CSV 'ü\n" * 10
    with closing(clients["http"](second.http)) as client:
        assert client.export(logs.SerializeToString(), LOGS).code == "OK"
        assert client.export(some_spans(5000).SerializeToString()).code == "OK"
    second.wait_stored()
    sql = Sql(server.sql)
    assert sql.get("SELECT count(), uniqExact(Body), sum(length(Body)) FROM large.otel_logs").body.decode() == (
        f"20000\t20000\t{sum(len(record.body.string_value.encode()) for record in records)}\n"
    )
    assert sql.get("SELECT count() FROM large.otel_traces").body == b"5000\n"
    assert (second.end(), second.errors()) == (0, "")


def test_its_own_sql_is_off(server: Serving, serve: Serve) -> None:
    """In front of a server there is no SQL endpoint; the server has one."""
    second = serve(f"--clickhouse={url(server, 'off')}")
    assert [name for name in second.announced if "SQL" in name] == []
    assert second.announced["data"] == f"http://{server.sql}/off"


@pytest.mark.soak
def test_server_is_killed_under_load(
    first: Callable[[], Serving], serve: Serve, hansei: Hansei, clients: Any, ledger: Ledger, wait: Wait
) -> None:
    """While its server is killed and started again it goes on acknowledging; all is there once when it ends."""
    server = first()
    second = serve(f"--clickhouse={url(server)}", *SMALL_SEGMENTS)
    senders = [clients["grpc"](second.grpc) for _ in range(2)] + [clients["http"](second.http) for _ in range(2)]

    def more(count: int) -> None:
        goal = sum(ledger.counted()) + count
        wait(lambda: sum(ledger.counted()) >= goal, "requests to be acknowledged")

    with ledger.load(senders, 0):
        more(40)
        server.kill()
        wait(lambda: second.ready()["store"] != "ok", "the server to be missed")
        more(40)
        assert ledger.refusals == []
        server = first()
        wait(lambda: second.ready()["store"] == "ok", "the server to be found")
        more(40)
        assert second.end() == 0
    settle(ledger, second, hansei, url(server))
    assert server.errors() == ""


def test_collector_is_killed_under_load(
    server: Serving, serve: Serve, hansei: Hansei, clients: Any, ledger: Ledger, wait: Wait
) -> None:
    """What a killed collector has acknowledged is there once, after its next start."""
    address = url(server, "killed")
    second = serve(f"--clickhouse={address}", *SMALL_SEGMENTS)
    with ledger.load([clients["grpc"](second.grpc) for _ in range(4)], 0):
        wait(lambda: sum(ledger.counted()) > 80, "requests to be acknowledged")
        second.kill()
    again = serve(f"--clickhouse={address}", *SMALL_SEGMENTS, data=second.data)
    again.wait_stored()
    assert again.end() == 0
    settle(ledger, again, hansei, address)


def test_wrong_password(server: Serving, hansei: Hansei, tmp_path: Path) -> None:
    """With a wrong password it does not start, and says why in one line without the password."""
    address = url(server, "wrong", "mistake")
    for command in (["serve", *PORTS, "--data", tmp_path / "data"], ["migrate"]):
        said = refused(hansei(*command, "--clickhouse", address))
        assert "Authentication failed" in said
        assert f"ClickHouse at http://{server.sql}/wrong" in said
        assert "mistake" not in said


def test_commands(server: Serving, hansei: Hansei) -> None:
    """``hansei migrate`` makes the schema, twice does no more; ``hansei query`` reads and writes as its user may."""
    address = url(server, "commanded")
    for applied in (len(list(migrations(_SCHEMA))), 0):
        ran = hansei("migrate", "--clickhouse", address)
        assert (ran.code, ran.err, ran.out.count("applied ")) == (0, "", applied)
    ran = hansei(
        "query", "--clickhouse", address, "--format", "CSV", "SELECT count(), currentDatabase() FROM otel_traces"
    )
    assert (ran.code, ran.out, ran.err) == (0, '0,"commanded"\n', "")
    assert hansei("query", "--clickhouse", address, "CREATE TABLE t (a Int8) ENGINE = Memory").code == 0
    assert hansei("query", "--clickhouse", address, "INSERT INTO t VALUES (1), (2)").code == 0
    reader = f"http://{server.sql}/commanded"
    ran = hansei("query", "--clickhouse", reader, "SELECT sum(a) FROM t FORMAT TSV")
    assert (ran.code, ran.out, ran.err) == (0, "3\n", "")
    ran = hansei("query", "--clickhouse", reader, "DROP TABLE t")
    assert (ran.code, ran.out) == (2, "")
    assert "Cannot execute query in readonly mode" in ran.err
