"""The Native format at the SQL endpoint as each protocol version has it, and its compressed blocks.

What is answered is read by clickhouse-driver's reader of the native protocol.
"""

import contextlib
import datetime
import gzip
import http.client
import io
import itertools
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_cityhash.cityhash import CityHash128
from clickhouse_driver.bufferedreader import BufferedSocketReader
from clickhouse_driver.context import Context
from clickhouse_driver.streams.compressed import CompressedBlockInputStream
from clickhouse_driver.streams.native import BlockInputStream
from hypothesis import given
from hypothesis import strategies as st

from hansei.collector.sql_errors import SqlError
from hansei.collector.sql_native import NativeBlocks
from hansei.collector.sql_native_compression import BlockPacker, BlockUnpacker

from .processes import Serving
from .sql_http import ADMIN, PATIENCE, Sql

VERSIONS = [54405, 54453, 54454, 54460, 54472]

MANY_TYPES = """
    SELECT number AS n, toString(number) AS s, toDateTime(number, 'Europe/Berlin') AS t,
        toDateTime64(number, 3, 'Asia/Tokyo') AS precise, map('a', number, 'b', 1) AS m,
        toLowCardinality(toString(number % 2)) AS l, [NULL, number] AS a, (number, 'it''s') AS p,
        toUUID('00000000-0000-0000-0000-00000000000a') AS u, if(number = 1, NULL, 'x') AS z,
        map('k', [toLowCardinality(toNullable('v'))]) AS deep, number AS `it's "quoted"`, number, []
    FROM numbers(3)
"""


def blocks(body: bytes, version: int, *, compressed: bool = False) -> Iterator[Any]:
    """Every block of an answer."""
    stream = io.BytesIO(body)
    context = Context()
    context.server_info = SimpleNamespace(used_revision=version, get_timezone=lambda: "UTC", timezone="UTC")
    context.settings = {}
    context.client_settings = {
        "strings_as_bytes": False, "strings_encoding": "utf-8", "use_numpy": False, "opentelemetry_traceparent": None,
        "namedtuple_as_json": False, "input_format_null_as_default": False, "server_side_params": False,
    }  # fmt: skip
    source = BufferedSocketReader(SimpleNamespace(recv_into=stream.readinto), 1 << 16)
    reader = CompressedBlockInputStream(source, context) if compressed else BlockInputStream(source, context)
    with contextlib.suppress(EOFError):
        while True:
            yield reader.read()


def answer(sql: Sql, query: str, version: int, **url: str) -> list[Any]:
    """The blocks of a query's result at a version."""
    reply = sql.post(query, client_protocol_version=str(version), default_format="Native", **url)
    assert reply.status == 200, reply.body
    assert reply.headers["x-clickhouse-format"] == "Native"
    return list(blocks(reply.body, version, compressed=url.get("compress") == "1"))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("compress", ["0", "1"])
def test_types(sql: Sql, version: int, compress: str) -> None:
    """Columns of many types have the names, types and values that the query gives them."""
    (block,) = answer(sql, MANY_TYPES, version, compress=compress)
    names, types = (
        [field.replace("\\'", "'") for field in line.split("\t")]
        for line in sql.post(MANY_TYPES, default_format="TSVWithNamesAndTypes").body.decode().split("\n")[:2]
    )
    assert block.columns_with_types == list(zip(names, types, strict=True))
    assert "DateTime('Europe/Berlin')" in types
    times = [datetime.datetime.fromtimestamp(n, datetime.UTC) for n in range(3)]
    for n, row in enumerate(block.get_rows()):
        assert row[:2] == (n, str(n))
        assert row[2:4] == (times[n], times[n])
        assert row[4:9] == ({"a": n, "b": 1}, str(n % 2), [None, n], (n, "it's"), uuid.UUID(int=10))
        assert row[9:] == (None if n == 1 else "x", {"k": ["v"]}, n, n, [])


@pytest.mark.parametrize("compress", ["0", "1"])
def test_long_results(sql: Sql, compress: str) -> None:
    """A result of many blocks and megabytes arrives whole."""
    query = "SELECT number, repeat('x', number % 100) AS s FROM numbers(500000)"
    numbers, characters = 0, 0
    for block in answer(sql, query, 54460, compress=compress):
        numbers += sum(block.get_column_by_index(0))
        characters += sum(map(len, block.get_column_by_index(1)))
    assert (numbers, characters) == (sum(range(500_000)), 5000 * sum(range(100)))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT 1 AS a WHERE 0", []),
        ("SELECT {n:Int8} AS a SETTINGS max_threads = 1", [(7,)]),
        ("WITH 1 AS a SELECT a UNION ALL SELECT 2", [(1,), (2,)]),
        ("SELECT number FROM numbers(3) ORDER BY number DESC LIMIT 1 FORMAT Native", [(2,)]),
        ("EXISTS TABLE otel_traces", [(1,)]),
        ("SHOW TABLES LIKE 'otel_lo%'", [("otel_logs",)]),
        ("EXPLAIN SYNTAX SELECT 1 AS a", [("SELECT 1 AS a\nFROM system.one",)]),
        ("SELECT name FROM system.tables WHERE database = 'default' AND name = 'otel_logs'", [("otel_logs",)]),
    ],
)
def test_statements(sql: Sql, query: str, expected: list[tuple[Any, ...]]) -> None:
    """Every kind of statement that reads is answered, also one without rows."""
    rows = [row for block in answer(sql, query, 54460, param_n="7") for row in block.get_rows()]
    assert sorted(rows) == expected


def test_states_and_sparse_columns(sql: Sql) -> None:
    """States of aggregate functions, and columns that are stored sparse."""
    sql.admin("CREATE TABLE sparse (n UInt64, z UInt64) ENGINE = MergeTree ORDER BY n")
    sql.admin("INSERT INTO sparse SELECT number, number = 77777 FROM numbers(100000)")
    zeros = [value for block in answer(sql, "SELECT z FROM sparse", 54472) for value in block.get_column_by_index(0)]
    assert (len(zeros), sum(zeros)) == (100_000, 1)
    sql.admin("DROP TABLE sparse")
    (reply,) = answer(sql, "SELECT finalizeAggregation(s), toTypeName(s) FROM (SELECT sumState(number) AS s "
                      "FROM numbers(10))", 54460)  # fmt: skip
    assert list(reply.get_rows()) == [(45, "AggregateFunction(sum, UInt64)")]


def test_other_formats_do_not_change(sql: Sql) -> None:
    """The protocol version is of Native alone, and no version stands for the oldest."""
    for output_format in ("TabSeparated", "RowBinaryWithNamesAndTypes", "Buffers"):
        plain = sql.get("SELECT 1 AS a", default_format=output_format).body
        assert sql.get("SELECT 1 AS a", default_format=output_format, client_protocol_version="54460").body == plain
    plain = b"\1\1\1a\5UInt8\1"
    for version in ({}, {"client_protocol_version": "0"}, {"client_protocol_version": ""}):
        assert sql.get("SELECT 1 AS a", default_format="Native", **version).body == plain


@pytest.mark.parametrize("version", ["54404", "54473", "-1", "x", "9" * 5000])
def test_versions_that_are_not_spoken(sql: Sql, version: str) -> None:
    """A version whose blocks look otherwise is refused, with those that are spoken."""
    reply = sql.get("SELECT 1", client_protocol_version=version)
    assert (reply.status, reply.code) == (501, 48)
    assert b"send 54405 to 54472" in reply.body


def test_error_in_the_middle(sql: Sql) -> None:
    """An error after the first block stands in the same compressed blocks, behind what was sent."""
    connection = http.client.HTTPConnection(sql.address.host, sql.address.port, timeout=PATIENCE)
    query = "SELECT throwIf(number = 3000000) FROM numbers(10000000) SETTINGS max_block_size = 9999"
    with contextlib.closing(connection):
        connection.request("POST", "/?client_protocol_version=54460&default_format=Native&compress=1", query)
        with pytest.raises(http.client.IncompleteRead) as broken:
            connection.getresponse().read()
    body = b"".join(BlockUnpacker().unpack(broken.value.partial))
    assert b"__exception__" in body[-1000:]
    assert b"Code: 395. DB::Exception" in body[-1000:]


def test_time_zones_at_clickhouse_connect(sql_serving: Serving) -> None:
    """clickhouse-connect finds that versions are spoken, and with them the time zone of a DateTime."""
    address = sql_serving.sql
    with clickhouse_connect.get_client(host=address.host, port=address.port) as client:
        ((time,),) = client.query("SELECT toDateTime('2026-01-02 03:04:05', 'Europe/Berlin')").result_rows
    assert str(time) == "2026-01-02 03:04:05+01:00"


@pytest.mark.parametrize(
    "query",
    [
        # clickhouse-go, which Grafana's data source uses
        "SELECT displayName(), version(), revision(), timezone()",
        "SELECT 1 LIMIT 0",
        "SHOW DATABASES",
        'SHOW TABLES FROM "default"',
        'DESC TABLE "default"."otel_traces"',
        "SELECT name, type, table FROM system.columns WHERE database IN ('default')",
        "WITH 'x' AS id, (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = id) AS start SELECT "
        "SpanId AS spanID, arrayMap(key -> map('key', key, 'value', SpanAttributes[key]), mapKeys(SpanAttributes)), "
        "arrayMap((n, t) -> tuple(n, toString(toUnixTimestamp64Milli(t)))::Tuple(name String, timestamp String), "
        "Events.Name, Events.Timestamp) AS logs FROM otel_traces WHERE TraceId = id AND Timestamp >= start",
        # the JDBC driver, which DBeaver uses
        "SELECT currentUser() AS user, timezone() AS timezone, version() AS version LIMIT 1",
        "SELECT name AS TABLE_SCHEM, null AS TABLE_CATALOG FROM system.databases WHERE name LIKE '%' ORDER BY name",
        "SELECT t.database AS TABLE_SCHEM, t.name AS TABLE_NAME, t.engine, t.comment FROM system.tables t "
        "WHERE t.database NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA') ORDER BY t.database, t.name",
        "SELECT database, table, name, type, position, default_expression, comment FROM system.columns "
        "WHERE database LIKE 'default' AND table LIKE 'otel_traces' ORDER BY position",
        "SELECT name, alias_to, case_insensitive FROM system.data_type_families",
        "SELECT name, description FROM system.functions WHERE name LIKE 'quantile%'",
    ],
)
def test_what_other_clients_ask_first(sql: Sql, query: str) -> None:
    """The queries with which clickhouse-go and the JDBC driver begin are answered."""
    assert answer(sql, query, 54460, compress="1") or "LIMIT 0" in query or "otel_traces WHERE" in query


@pytest.mark.parametrize("codec", ["LZ4", "LZ4HC", "ZSTD(3)", "NONE"])
def test_compressed_insert(sql: Sql, codec: str) -> None:
    """Rows come in compressed blocks, here those that the engine itself has written to its disk."""
    wide = "SETTINGS min_bytes_for_wide_part = 0"
    sql.admin(f"CREATE TABLE packed (n UInt64 CODEC({codec})) ENGINE = MergeTree ORDER BY () {wide}")
    with contextlib.ExitStack() as at_the_end:
        at_the_end.callback(sql.admin, "DROP TABLE packed")
        sql.admin("INSERT INTO packed SELECT number % 1000 FROM numbers(500000)")
        folder = Path(sql.admin("SELECT path FROM system.parts WHERE table = 'packed' AND active").decode().strip())
        column = (folder / "n.bin").read_bytes()
        url = {"query": "INSERT INTO packed FORMAT RowBinary", "decompress": "1"}
        assert sql.send("POST", column, ADMIN, **url).status == 200
        assert sql.admin("SELECT count(), sum(n) FROM packed") == b"1000000\t499500000\n"
        assert sql.send("POST", gzip.compress(column), {**ADMIN, "Content-Encoding": "gzip"}, **url).status == 200
        damaged = column[:1000] + bytes([column[1000] ^ 1]) + column[1001:]
        for body, code in ((column[:-1], 271), (column[:5], 271), (damaged, 40), (b"rows" * 100, 271)):
            assert sql.send("POST", body, ADMIN, **url).code == code
        assert sql.admin("SELECT count() FROM packed") == b"1500000\n"


def test_compressed_statement(sql: Sql) -> None:
    """A reader's statement may come in blocks, and the blocks of its result in HTTP compression."""
    reply = sql.post(BlockPacker().pack(b"SELECT 1"), decompress="1", compress="1")
    assert b"".join(BlockUnpacker().unpack(reply.body)) == b"1\n"
    reply = sql.get("SELECT 1", {"Accept-Encoding": "gzip"}, compress="1", enable_http_compression="1")
    assert b"".join(BlockUnpacker().unpack(gzip.decompress(reply.body))) == b"1\n"
    assert sql.get("SELECT 1 WHERE 0", compress="1").body == b""
    # An error before the first block is plain text, as its status says.
    assert sql.get("SELECT nosuch", compress="1").code == 47
    bomb = BlockPacker().pack(bytes(100_000_000))
    assert (len(bomb) < 1_000_000, sql.post(bomb, decompress="1").code) == (True, 62)


CUTS = st.lists(st.integers(1, 40), min_size=1, max_size=30)
"""Sizes of pieces, over and over."""


def pieces(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The data in pieces."""
    start = 0
    for size in itertools.cycle(sizes):
        if start >= len(data):
            return
        yield data[start : start + size]
        start += size


def number(value: int) -> bytes:
    """As Buffers has it."""
    return value.to_bytes(8, "little")


@given(st.lists(st.lists(st.binary(max_size=60), min_size=2, max_size=2), max_size=5), CUTS, st.sampled_from(VERSIONS))
def test_blocks_cut_anywhere(data: list[list[bytes]], cuts: list[int], version: int) -> None:
    """However the stream is cut, each block gets its head and each column its own, and the data stays."""
    stream = b"".join(number(2) + number(9) + b"".join(number(len(c)) + c for c in columns) for columns in data)
    native = NativeBlocks([(b"a", b"String"), (b"b" * 200, b"X")], version)
    layout = b"\0" if version >= 54454 else b""
    expected = b"".join(
        b"\1\0\2\xff\xff\xff\xff\0\2\x09\1a\6String" + layout + a + b"\xc8\1" + b"b" * 200 + b"\1X" + layout + b
        for a, b in data
    )
    assert b"".join(native.frame(piece) for piece in pieces(stream, cuts)) == expected


def test_a_table_that_changes_while_it_is_read() -> None:
    """Blocks with other columns than were described are not given other names."""
    with pytest.raises(SqlError, match="changed while it was read"):
        NativeBlocks([(b"a", b"String")], 54460).frame(number(2) + number(1))


@given(st.binary(max_size=500), CUTS)
def test_blocks_pack_and_unpack(data: bytes, cuts: list[int]) -> None:
    """What was packed comes out again, however the body is cut."""
    packed = BlockPacker().pack(data)
    unpacker = BlockUnpacker()
    assert b"".join(inner for piece in pieces(packed, cuts) for inner in unpacker.unpack(piece)) == data
    unpacker.finish()


@given(st.binary(min_size=1, max_size=200), st.data())
def test_damaged_blocks(data: bytes, draw: st.DataObject) -> None:
    """A block with a wrong bit anywhere, or cut short, is refused."""
    packed = bytearray(BlockPacker().pack(data))
    position = draw.draw(st.integers(0, len(packed) * 8 - 1))
    packed[position // 8] ^= 1 << position % 8
    with pytest.raises(SqlError):
        unpack_all(bytes(packed))
    packed[position // 8] ^= 1 << position % 8
    with pytest.raises(SqlError):
        unpack_all(bytes(packed[: draw.draw(st.integers(1, len(packed) - 1))]))


@given(st.binary(max_size=300))
def test_garbage_for_blocks(data: bytes) -> None:
    """Anything at all is either blocks or refused; so is what has a right checksum and a wrong inside."""
    for body in (data, checksum(data) + data):
        with contextlib.suppress(SqlError):
            unpack_all(body)
    inside = b"\x82" + (9 + len(data)).to_bytes(4, "little") + (1000).to_bytes(4, "little") + data
    for method in (b"\x82", b"\x90", b"\x02", b"\x91"):
        body = method + inside[1:]
        with pytest.raises(SqlError):
            unpack_all(checksum(body) + body)


def checksum(sealed: bytes) -> bytes:
    """What stands before a block."""
    high, low = divmod(CityHash128(sealed), 1 << 64)
    return number(high) + number(low)


def unpack_all(body: bytes) -> bytes:
    """The data of a whole body."""
    unpacker = BlockUnpacker()
    data = b"".join(unpacker.unpack(body))
    unpacker.finish()
    return data
