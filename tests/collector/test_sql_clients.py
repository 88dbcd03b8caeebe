"""clickhouse-connect at the SQL endpoint: readers, an administrator, and many at once."""

import asyncio
import datetime
import decimal
import ipaddress
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError
from google.protobuf.internal.encoder import _VarintBytes
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from hansei.collector.sql_insert import data_of_insert

from .processes import Serving
from .sql_http import Sql

Connect = Callable[..., Client]


@pytest.fixture
def connect(sql_serving: Serving) -> Iterator[Connect]:
    """``connect(**options)``: a client of clickhouse-connect's."""
    clients: list[Client] = []

    def make(**options: Any) -> Client:
        address = sql_serving.sql
        clients.append(clickhouse_connect.get_client(host=address.host, port=address.port, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def admin(connect: Connect) -> Iterator[Client]:
    """The administrator, with a database to work in."""
    client = connect(username="admin", password="sesame")
    client.command("CREATE DATABASE of_admin")
    yield client
    client.command("DROP DATABASE of_admin")


@pytest.mark.parametrize("compress", [True, "lz4", "zstd", "gzip", False])
def test_rows(connect: Connect, compress: bool | str) -> None:
    """Rows of many types and blocks arrive whole under every compression."""
    query = """
        SELECT number, toString(number) AS s, toDateTime64('2026-01-02 03:04:05.678901', 6, 'UTC') AS t,
            map('a', 1) AS m, toLowCardinality('x') AS l, [NULL, 1.5] AS a, (1, 'b') AS p,
            toUUID('00000000-0000-0000-0000-00000000000a') AS u
        FROM numbers(70000)
    """
    result = connect(compress=compress).query(query)
    assert [row[0] for row in result.result_rows] == list(range(70_000))
    time = datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, datetime.UTC)
    last = result.result_rows[-1]
    assert (last[1], last[3:7], last[7]) == ("69999", ({"a": 1}, "x", [None, 1.5], (1, "b")), uuid.UUID(int=10))
    assert last[2].replace(tzinfo=datetime.UTC) == time
    assert int(result.summary["read_rows"]) == 70_000


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Int64", -(2**63)),
        ("UInt256", 2**256 - 1),
        ("Float64", 0.1),
        ("Bool", True),
        ("String", "it's \\ a \n\t\0 'line' {x:Int8} -- 😀"),
        ("Nullable(String)", None),
        ("Array(String)", ["p", "q'", "\\", ""]),
        ("Array(Array(Int8))", [[1], [], [2, 3]]),
        ("Tuple(Int8, String)", (1, "x'y")),
        ("Date", datetime.date(2026, 1, 2)),
        ("DateTime64(6)", datetime.datetime(2026, 1, 2, 3, 4, 5, 678901)),
        ("Decimal(10, 2)", decimal.Decimal("12.34")),
        ("UUID", uuid.UUID(int=10)),
        ("IPv4", ipaddress.IPv4Address("192.0.2.1")),
        ("Enum8('a' = 1)", "a"),
    ],
)
def test_parameters(connect: Connect, kind: str, value: object) -> None:
    """A parameter of whatever type comes back as it was."""
    assert connect().query(f"SELECT {{value:{kind}}}", {"value": value}).result_rows == [(value,)]


def test_long_parameters_as_a_form(connect: Connect) -> None:
    """A client that sends query and parameters as a form gets the same."""
    value = "x" * 100_000
    result = connect(form_encode_query_params=True).query(
        "SELECT {value:String}, {other:Int8}", {"value": value, "other": 1}
    )
    assert result.result_rows == [(value, 1)]


def test_frames_and_streams(connect: Connect) -> None:
    """DataFrames, Arrow tables and streams of rows, blocks and bytes come from the same endpoint."""
    client = connect()
    frame = client.query_df("SELECT number AS n, toString(number) AS s FROM numbers(1000)")
    assert (frame.shape, int(frame["n"].sum()), frame["s"].iloc[-1]) == ((1000, 2), 499500, "999")
    table = client.query_arrow("SELECT number AS n, 'a' AS s FROM numbers(1000)")
    assert (table.shape, table["n"][999].as_py(), table["s"][0].as_py()) == ((1000, 2), 999, "a")
    with client.query_row_block_stream("SELECT number FROM numbers(1000000)") as blocks:
        assert sum(len(block) for block in blocks) == 1_000_000
    with client.query_arrow_stream("SELECT number FROM numbers(300000)") as batches:
        assert sum(batch.num_rows for batch in batches) == 300_000
    with client.raw_stream("SELECT number FROM numbers(300000)", fmt="CSV") as stream:
        assert sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(1 << 16), b"")) == 300_000
    assert client.command("SELECT count() FROM otel_traces") == 0
    assert client.ping()


def test_errors(connect: Connect) -> None:
    """An error has its code, whether it comes before the first row or in the middle of the result."""
    client = connect()
    for query, code in (
        ("SELECT nosuch", 47),
        ("SELECT * FROM nosuch", 60),
        ("SELECT throwIf(number = 3000000) FROM numbers(10000000) SETTINGS max_block_size = 9999", 395),
        ("CREATE TABLE x (a Int8) ENGINE = Memory", 164),
        ("SELECT file('/etc/hostname')", 497),
    ):
        with pytest.raises(DatabaseError) as error:
            client.query(query)
        assert error.value.code == code, query
    assert client.query("SELECT 1").result_rows == [(1,)]


def test_settings(connect: Connect) -> None:
    """A client learns which settings there are, sends those that are a reader's, and is refused the others."""
    client = connect()
    assert client.server_settings["max_threads"].readonly == 0
    settings = {"max_threads": 1, "max_execution_time": 5, "session_timezone": "Asia/Tokyo"}
    assert client.query("SELECT toString(toDateTime(0))", settings=settings).result_rows == [("1970-01-01 09:00:00",)]
    with pytest.raises(ClickHouseError) as error:
        client.query("SELECT 1", settings={"allow_introspection_functions": 1})
    assert error.value.code == 164


@pytest.mark.parametrize("username", ["admin", "default"])
def test_wrong_password(connect: Connect, username: str) -> None:
    """A wrong password is told when the client is made."""
    with pytest.raises(DatabaseError) as error:
        connect(username=username, password="wrong")
    assert error.value.code == 516


def test_many_at_once(sql_serving: Serving) -> None:
    """Twenty queries at once, of which three run at a time, all end well, beside one that fails."""

    async def ask() -> tuple[list[Any], Any, BaseException]:
        address = sql_serving.sql
        client = await clickhouse_connect.get_async_client(host=address.host, port=address.port)
        try:
            query = "SELECT sum(number), {a:UInt8} FROM numbers(1000000)"
            results = await asyncio.gather(
                *(client.query(query, {"a": number}) for number in range(20)),
                client.query("SELECT nosuch"),
                client.query("SELECT throwIf(number = 3000000) FROM numbers(10000000) SETTINGS max_block_size = 9999"),
                return_exceptions=True,
            )
            frame = await client.query_df("SELECT 1 AS a")
        finally:
            await client.close()
        return results[:20], [error.code for error in results[20:]], frame

    rows, codes, frame = asyncio.run(ask())
    assert [result.result_rows for result in rows] == [[(499999500000, number)] for number in range(20)]
    assert codes == [47, 395]
    assert frame.to_dict() == {"a": {0: 1}}


# --- the administrator ---


def test_tables_and_rows(admin: Client, connect: Connect) -> None:
    """The administrator makes tables with settings, fills them in every way, changes and drops them; readers see it."""
    admin.command(
        "CREATE TABLE of_admin.t (a Int64, b String) ENGINE = MergeTree ORDER BY a SETTINGS index_granularity = 100"
    )
    admin.command("INSERT INTO of_admin.t VALUES (1, 'inline'), (2, 'it''s; -- \\n')")
    admin.command("INSERT INTO of_admin.t SELECT number + 3, toString(number) FROM numbers(2)")
    summary = admin.insert("of_admin.t", [[5, "x"], [6, "y'\n"]], column_names=["a", "b"])
    assert summary.written_rows == 2
    summary = admin.raw_insert("of_admin.t", insert_block=b"7,c\n8,d\n", fmt="CSV", column_names=["a", "b"])
    assert summary.written_rows == 2
    reader = connect()
    rows = reader.query("SELECT * FROM of_admin.t ORDER BY a").result_rows
    assert [row[0] for row in rows] == list(range(1, 9))
    assert (rows[1][1], rows[5][1]) == ("it's; -- \n", "y'\n")
    assert "index_granularity = 100" in str(reader.command("SHOW CREATE TABLE of_admin.t"))
    admin.command("ALTER TABLE of_admin.t DELETE WHERE a > 2 SETTINGS mutations_sync = 1")
    assert reader.command("SELECT count() FROM of_admin.t") == 2
    admin.command("CREATE VIEW of_admin.v AS SELECT b FROM of_admin.t WHERE a = {a:Int64}")
    assert reader.query("SELECT * FROM of_admin.v(a = 1)").result_rows == [("inline",)]
    admin.command("DROP TABLE of_admin.t")
    with pytest.raises(DatabaseError) as error:
        reader.query("SELECT * FROM of_admin.t")
    assert error.value.code == 60


def test_ten_rows_of_ten_columns(connect: Connect, admin: Client) -> None:
    """A block whose first bytes are line feeds is data from its first byte."""
    columns = [f"c{number}" for number in range(10)]
    admin.command(f"CREATE TABLE of_admin.ten ({', '.join(f'{name} UInt8' for name in columns)}) ENGINE = Memory")
    rows = [tuple(range(number, number + 10)) for number in range(10)]
    connect(username="admin", password="sesame").insert("of_admin.ten", rows, column_names=columns)
    assert admin.query("SELECT * FROM of_admin.ten ORDER BY c0").result_rows == rows
    admin.command("DROP TABLE of_admin.ten")


@pytest.mark.parametrize("compress", ["lz4", "zstd", "gzip", False])
def test_many_rows_from_the_client(connect: Connect, admin: Client, compress: str | bool) -> None:
    """A large insert in ClickHouse's own format arrives whole, compressed or not."""
    admin.command("CREATE TABLE of_admin.many (a UInt64, b String) ENGINE = MergeTree ORDER BY a")
    client = connect(username="admin", password="sesame", compress=compress)
    client.insert("of_admin.many", [[number, "x" * 100] for number in range(100_000)], column_names=["a", "b"])
    assert client.query("SELECT count(), sum(a), sum(length(b)) FROM of_admin.many").result_rows == [
        (100_000, 4_999_950_000, 10_000_000)
    ]


def test_protobuf_once(admin: Client, tmp_path: Path) -> None:
    """Protobuf with a schema in the request is read, and the same deduplication token stores it once."""
    admin.command(
        "CREATE TABLE of_admin.once (key String) ENGINE = MergeTree ORDER BY key"
        " SETTINGS non_replicated_deduplication_window = 100"
    )
    messages = [KeyValue(key=f"key {number}").SerializeToString() for number in range(3)]
    path = tmp_path / "messages"
    path.write_bytes(b"".join(_VarintBytes(len(message)) + message for message in messages))
    settings = {
        "format_schema_source": "string",
        "format_schema": 'syntax = "proto3"; message KeyValue { string key = 1; }',
        "format_schema_message_name": "KeyValue",
    }
    for token, count in (("one", 3), ("one", 3), ("another", 6)):
        with path.open("rb") as body:
            admin.raw_insert(
                "of_admin.once",
                insert_block=body,
                fmt="Protobuf",
                settings={**settings, "insert_deduplication_token": token},
            )
        assert admin.command("SELECT count() FROM of_admin.once") == count
    with pytest.raises(DatabaseError):
        admin.raw_insert("of_admin.once", insert_block=b"\xff\xff\xff", fmt="Protobuf", settings=settings)
    assert admin.command("SELECT count() FROM of_admin.once") == 6


@pytest.mark.parametrize(
    ("insert", "row", "end"),
    [
        (b"INSERT INTO of_admin.long (a, b) VALUES ", b"(%d, 'a; b'), ", b"(-1, toString(1 + 1));"),
        (b"insert into of_admin.long -- FORMAT JSON\n(a, b) format CSV\n", b'%d,"a; b"\n', b"-1,2\n"),
        (
            b"INSERT INTO of_admin.long SETTINGS max_threads = 1 FORMAT JSONEachRow ",
            b'{"a":%d,"b":"a; b"}\n',
            b'{"a":-1,"b":"2"}',
        ),
        (b"/* (' */INSERT INTO `of_admin`.long(b, a) FORMAT TSV\r\n", b"a; b\t%d\n", b"2\t-1\n"),
    ],
    ids=["VALUES", "CSV", "JSONEachRow", "TSV"],
)
@pytest.mark.parametrize("rows", [1, 50_000])
def test_data_behind_the_statement(admin: Client, sql: Sql, insert: bytes, row: bytes, end: bytes, rows: int) -> None:
    """Statement and data in one body are told apart, also where they are longer than a statement may be."""
    admin.command("CREATE TABLE of_admin.long (a Int64, b String) ENGINE = MergeTree ORDER BY a")
    sql.admin(insert + b"".join(row % number for number in range(rows)) + end)
    result = admin.query("SELECT count(), sum(a), uniqExact(b), argMin(b, a) FROM of_admin.long").result_rows
    assert result == [(rows + 1, sum(range(rows)) - 1, 2, "2")]


@pytest.mark.parametrize(
    "text",
    [
        b"SELECT 1 FORMAT CSV\n",
        b"INSERT INTO t SELECT * FROM v FORMAT CSV\n",
        b"INSERT INTO t FROM INFILE 'x' FORMAT CSV\n",
        b"INSERT INTO t (format CSV, values)",
        b"WITH 1 AS x INSERT INTO t VALUES (1)",
        b"",
        b"'",
    ],
)
def test_no_data_behind_the_statement(text: bytes) -> None:
    """What has no data behind it is left in one piece."""
    assert data_of_insert(text) == 0
