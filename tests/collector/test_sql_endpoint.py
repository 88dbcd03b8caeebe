"""ClickHouse's HTTP interface as the SQL endpoint speaks it, over real HTTP."""

import contextlib
import gzip
import http.client
import io
import json
import re
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable

import lz4.frame
import pyarrow.parquet
import pytest

from .sql_http import ADMIN, KEEPS_TEXT, PATIENCE, Sql

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "lz4": lz4.frame.compress,
    "zstd": zstd.compress,
}
DECOMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "lz4": lz4.frame.decompress,
    "zstd": zstd.decompress,
}


# --- curl ---


@pytest.fixture
def curl(sql: Sql) -> Callable[..., bytes]:
    """``curl(*arguments)``: what curl writes, for the endpoint's URL."""
    binary = shutil.which("curl")
    if binary is None:
        pytest.skip("there is no curl on this machine")

    def run(*arguments: str) -> bytes:
        url = f"http://{sql.address}/"
        return subprocess.run(
            [binary, "-sS", *arguments, url], capture_output=True, check=True, timeout=PATIENCE
        ).stdout

    return run


def test_curl_reads_json(curl: Callable[..., bytes]) -> None:
    """The README's way: the query in the URL, the format in the query."""
    answer = json.loads(curl("--get", "--data-urlencode", "query=SELECT count() AS n FROM otel_traces FORMAT JSON"))
    assert (answer["meta"], len(answer["data"])) == ([{"name": "n", "type": "UInt64"}], 1)


def test_curl_reads_parquet(curl: Callable[..., bytes]) -> None:
    """A result as Parquet is a file that pyarrow reads."""
    content = curl("--data-binary", "SELECT number, toString(number) AS text FROM numbers(1000) FORMAT Parquet")
    table = pyarrow.parquet.read_table(io.BytesIO(content))
    assert (table.num_rows, table.column_names, table["text"][999].as_py()) == (1000, ["number", "text"], "999")


@pytest.mark.parametrize(
    ("output_format", "expected"),
    [
        ("CSVWithNames", b'"a","b"\n1,"x, ""y"""\n'),
        ("TSV", b'1\tx, "y"\n'),
        ("Values", b"(1,'x, \"y\"')"),
        ("JSONEachRow", b'{"a":1,"b":"x, \\"y\\""}\n'),
        ("Native", b'\x02\x01\x01a\x05UInt8\x01\x01b\x06String\x06x, "y"'),
        ("RowBinary", b'\x01\x06x, "y"'),
        ("PrettyCompactNoEscapes", "┌─a─┬─b──────┐\n".encode()),
        ("Null", b""),
    ],
)
def test_curl_reads_any_format(curl: Callable[..., bytes], output_format: str, expected: bytes) -> None:
    """Formats for people and for programs come as ClickHouse writes them."""
    content = curl("--data-binary", "SELECT 1 AS a, 'x, \"y\"' AS b", "-H", f"X-ClickHouse-Format: {output_format}")
    assert expected in content
    assert bool(content) == bool(expected)


# --- requests ---


def test_where_the_query_is(sql: Sql) -> None:
    """A query is in the URL, in the body, or begins in the one and ends in the other."""
    assert sql.get("SELECT 1").body == sql.post("SELECT 1").body == sql.post("1", query="SELECT").body == b"1\n"
    assert sql.post("", query="SELECT 1").body == b"1\n"
    assert sql.post(" WHERE number > 1", ADMIN, query="SELECT number FROM numbers(3)").body == b"2\n"
    assert sql.post("").code == 62


def test_which_format(sql: Sql) -> None:
    """The statement's format goes first, then the header's, then the URL's, then tabs; the answer says which it is."""
    csv = {"X-ClickHouse-Format": "CSV"}
    for reply, output_format, content_type in (
        (sql.get("SELECT 1 AS a FORMAT JSONEachRow", csv, default_format="XML"), "JSONEachRow", "application/json"),
        (sql.get("SELECT 1 AS a", csv, default_format="XML"), "CSV", "text/csv"),
        (sql.get("SELECT 1 AS a", default_format="XML"), "XML", "application/xml"),
        (sql.get("SELECT 1 AS a"), "TabSeparated", "text/tab-separated-values"),
        (sql.get("SELECT 1 AS a", default_format="Parquet"), "Parquet", "application/octet-stream"),
    ):
        assert (reply.headers["x-clickhouse-format"], reply.status) == (output_format, 200)
        assert reply.headers["content-type"].startswith(content_type)
    assert sql.get("SELECT 1 FORMAT CSV SETTINGS max_threads = 1").body == b"1\n"
    assert sql.get("SELECT 1", default_format="CSV; DROP").code == 73
    assert sql.get("SELECT 1", default_format="Template").code == 497


def test_database(sql: Sql) -> None:
    """The current database comes in the URL or in a header."""
    assert sql.get("SELECT currentDatabase(), dummy FROM one", database="system").body == b"system\t0\n"
    assert sql.get("SELECT currentDatabase()", {"X-ClickHouse-Database": "system"}).body == b"system\n"
    assert sql.get("SELECT 1", database="nosuch").code == 81


def test_parameters(sql: Sql) -> None:
    """Parameters of a query come in the URL; a missing or unfit one is ClickHouse's error."""
    query = "SELECT {a:UInt8} + 1, {b:String}, {c:Array(String)}"
    assert sql.get(query, param_a="1", param_b="x\\ty'ü", param_c="['a','b\\'']").body == (
        "2\tx\\ty\\'ü\t['a','b\\'']\n".encode()
    )
    assert sql.get("SELECT {a:UInt8}").code == 456
    assert sql.get("SELECT {a:UInt8}", param_a="x").code == 457


def multipart(**fields: str) -> tuple[bytes, dict[str, str]]:
    """A form and its headers."""
    parts = [f'--cut\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
    return ("".join(parts) + "--cut--\r\n").encode(), {"Content-Type": "multipart/form-data; boundary=cut"}


def test_multipart(sql: Sql) -> None:
    """Query and parameters may come as a form, as clients send long ones; a file in it is not taken."""
    body, headers = multipart(query="SELECT {a:String}", param_a="ü" * 10_000)
    assert sql.post(body, headers).body.decode() == "ü" * 10_000 + "\n"
    body, headers = multipart(param_a="5")
    assert sql.post(body, headers, query="SELECT {a:Int8}").body == b"5\n"
    file = b'--cut\r\nContent-Disposition: form-data; name="t"; filename="t.csv"\r\n\r\n1\r\n--cut--\r\n'
    assert sql.post(file, headers, query="SELECT 1").code == 48


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"garbage", "multipart/form-data; boundary=cut"),
        (b"--cut\r\n\r\nx", "multipart/form-data; boundary=cut"),
        (b"", "multipart/form-data"),
        (b'--c\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--c--', "multipart/form-data; boundary=c"),
        (
            b"".join(b"--c%d\r\nContent-Type: multipart/mixed; boundary=c%d\r\n\r\n" % (n, n + 1) for n in range(3000)),
            "multipart/form-data; boundary=c0",
        ),
    ],
    ids=["no parts", "cut short", "no boundary", "not UTF-8", "nested"],
)  # fmt: skip
def test_malformed_multipart(sql: Sql, body: bytes, content_type: str) -> None:
    """A body that is not the form it claims to be is the caller's error."""
    assert sql.post(body, {"Content-Type": content_type}).status in (400, 501)


@pytest.mark.parametrize("encoding", COMPRESS)
def test_compressed_request(sql: Sql, encoding: str) -> None:
    """A compressed body is unpacked, in one frame or several; one that is cut short or garbage is an error."""
    pack = COMPRESS[encoding]
    headers = {"Content-Encoding": encoding}
    assert sql.post(pack(b"SELECT 1"), headers).body == b"1\n"
    assert sql.post(pack(b"SELECT ") + pack(b"1"), headers).body == b"1\n"
    assert sql.post(pack(b"SELECT 1")[:-3], headers).code == 271
    assert sql.post(b"garbage" * 100, headers).code == 271
    assert sql.post(pack(b"\0" * 100_000_000), headers).code == 62
    assert sql.post(b"SELECT 1", {"Content-Encoding": "br"}).code == 48


@pytest.mark.parametrize("encoding", DECOMPRESS)
def test_compressed_answer(sql: Sql, encoding: str) -> None:
    """An answer is compressed where the URL asks for it, and as the headers allow."""
    headers = {"Accept-Encoding": f"br, {encoding}"}
    query = "SELECT number FROM numbers(300000)"
    reply = sql.get(query, headers, enable_http_compression="1")
    assert reply.headers["content-encoding"] == encoding
    plain = sql.get(query, headers)
    assert "content-encoding" not in plain.headers
    assert DECOMPRESS[encoding](reply.body) == plain.body
    assert sql.get("SELECT 1 WHERE 0", headers, enable_http_compression="1").body == b""


def test_settings(sql: Sql) -> None:
    """What shapes a result may be set, a limit may be lowered, and what clients send by habit changes nothing."""
    assert sql.get("SELECT toDateTime(0)", session_timezone="Asia/Tokyo").body == b"1970-01-01 09:00:00\n"
    assert sql.get("SELECT getSetting('max_threads')", max_threads="9999").body == b"1\n"
    habits = {"wait_end_of_query": "1", "session_id": "x", "readonly": "1", "log_queries": "1", "buffer_size": "1"}
    assert sql.get("SELECT 1", **habits).body == b"1\n"
    for name, value in (("allow_introspection_functions", "1"), ("readonly", "0"), ("x'y", "1"), ("ü", "1")):
        assert sql.send("GET", query="SELECT 1", **{name: value}).code == 164
    assert sql.get("SELECT 1", max_threads="x").code == 72
    assert sql.get("SELECT 1", join_algorithm="'").code == 418


# --- answers ---


def test_headers(sql: Sql) -> None:
    """An answer tells its query's id, what was read, the time zone, and that browsers must not guess what it is."""
    headers = sql.get("SELECT number FROM numbers(10)", query_id="mine").headers
    assert headers["x-clickhouse-query-id"] == "mine"
    assert json.loads(headers["x-clickhouse-summary"])["read_rows"] == "10"
    assert re.fullmatch("[0-9a-f]{16}", headers["x-clickhouse-exception-tag"])
    assert headers["x-clickhouse-timezone"] == sql.get("SELECT timezone()").body.decode().strip()
    assert (headers["x-content-type-options"], headers["cross-origin-resource-policy"]) == ("nosniff", "same-origin")
    assert "access-control-allow-origin" not in headers
    for odd in ("a\r\nX-Injected: b", "ü", " "):
        reply = sql.get("SELECT 1", query_id=odd)
        assert reply.status == 200
        assert "x-injected" not in reply.headers
        assert re.fullmatch("[0-9a-f-]{36}", reply.headers["x-clickhouse-query-id"])


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("SELEC 1", 400, 62),
        ("SELECT nosuch FROM otel_traces", 404, 47),
        ("SELECT * FROM nosuch", 404, 60),
        ("SELECT nosuch(1)", 404, 46),
        ("SELECT toInt8('x')", 400, 6),
        ("SELECT throwIf(number = 5) FROM numbers(10)", 500, 395),
        ("SELECT file('/etc/hostname')", 403, 497),
        ("DROP TABLE otel_traces", 500, 164),
        ("SELECT `\udcff` FROM otel_traces", 404, 47),
        ("SELECT * FROM `\udcff`", 404, 60),
        ("SELECT \udcff", 400, 62),
    ],
)
def test_errors(sql: Sql, query: str, status: int, code: int) -> None:
    """An error before the first bytes of a result has ClickHouse's status, code, name and words."""
    if "\udcff" in query and code != 60 and not KEEPS_TEXT:
        status, code = 400, 36
    reply = sql.post(query.encode(errors="surrogateescape"))
    assert (reply.status, reply.code) == (status, code)
    assert re.search(rb"\([A-Z_]+\) \(version \d+\.\d+[^()]*\)\n$", reply.body)


def test_error_in_the_middle(sql: Sql) -> None:
    """An error after the first bytes breaks the body off, behind a block with the tag that the headers announced."""
    connection = http.client.HTTPConnection(sql.address.host, sql.address.port, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request(
            "POST", "/", "SELECT throwIf(number = 3000000) FROM numbers(10000000) SETTINGS max_block_size = 9999"
        )
        answer = connection.getresponse()
        tag = answer.getheader("X-ClickHouse-Exception-Tag")
        with pytest.raises(http.client.IncompleteRead) as broken:
            answer.read()
    assert answer.status == 200
    end = broken.value.partial[-1000:].decode()
    match = re.search(rf"\r\n__exception__\r\n{tag}\r\n(Code: 395\. .*\n)(\d+) {tag}\r\n__exception__\r\n$", end)
    assert match
    assert len(match[1]) == int(match[2])


def test_the_whole_result_first(sql: Sql) -> None:
    """With wait_end_of_query an error that comes late still has its status."""
    query = "SELECT throwIf(number = 300000) FROM numbers(1000000) SETTINGS max_block_size = 9999"
    assert sql.get(query, wait_end_of_query="1").code == 395


def test_what_is_not_a_query(sql: Sql) -> None:
    """Health checks are answered, and other methods and paths are refused with what there is instead."""
    for path in ("/ping", "/replicas_status", "/"):
        assert (sql.send("GET", path=path).status, sql.send("GET", path=path).body) == (200, b"Ok.\n")
        assert (sql.send("HEAD", path=path).status, sql.send("HEAD", path=path).body) == (200, b"")
    head = sql.send("HEAD", query="SELECT 1")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "2")
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH"):
        reply = sql.send(method, query="SELECT 1")
        assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD, POST")
    assert sql.send("GET", path="/play").status == 404
