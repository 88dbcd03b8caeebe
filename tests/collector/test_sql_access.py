"""Who may do what at the SQL endpoint, over real HTTP."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from hansei.collector.keys import Keys
from hansei.collector.sql_access import Access, Role

from .processes import Serving
from .sql_http import ADMIN, Sql


def test_passwords(sql: Sql, serving: Serving) -> None:
    """Without HANSEI_API_KEY anybody here reads; a wrong password, or the administrator's that is not set, is 516."""
    for headers in ({}, {"X-ClickHouse-User": "default"}, {"X-ClickHouse-User": "somebody"}):
        assert sql.get("SELECT 1", headers).status == 200
    wrong = (
        {"X-ClickHouse-User": "admin"},
        {"X-ClickHouse-User": "admin", "X-ClickHouse-Key": "wrong"},
        {"X-ClickHouse-Key": "wrong"},
        {"Authorization": "Basic " + base64.b64encode(b"admin:wrong").decode()},
        {"Authorization": "Basic !"},
        {"Authorization": "Basic /w=="},
        {"Authorization": "Bearer wrong"},
    )
    for headers in wrong:
        reply = sql.get("SELECT 1", headers)
        assert (reply.status, reply.code, reply.headers["www-authenticate"][:5]) == (401, 516, "Basic")
    assert sql.get("SELECT 1", user="admin", password="wrong").code == 516
    closed = Sql(serving.sql)
    for key in ("", "sesame", "admin"):
        assert closed.get("SELECT 1", {"X-ClickHouse-User": "admin", "X-ClickHouse-Key": key}).code == 516


def test_empty_admin_key() -> None:
    """An empty key makes nobody an administrator."""
    assert Access(Keys(None, "")).role({}, {}) is Role.READER


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sql]:
    """An endpoint that asks readers for a key."""
    running = Serving(tmp_path_factory.mktemp("keyed") / "data", HANSEI_API_KEY="friend", HANSEI_ADMIN_KEY="sesame")
    yield Sql(running.sql)
    said = running.errors()
    running.close()
    assert said == ""


def test_keys(keyed: Sql) -> None:
    """A reader's key comes as password, header, URL or bearer; with one the name that is asked does not matter."""
    basic = "Basic " + base64.b64encode(b"default:friend").decode()
    assert keyed.get("SELECT 1", {"Authorization": basic}).body == b"1\n"
    assert keyed.get("SELECT 1", {"Authorization": "Bearer friend"}).body == b"1\n"
    assert keyed.get("SELECT 1", {"X-ClickHouse-Key": "friend", "Host": "db.example.com"}).body == b"1\n"
    assert keyed.get("SELECT 1", user="default", password="friend").body == b"1\n"
    for headers in ({}, {"X-ClickHouse-Key": "foe"}, {"X-ClickHouse-User": "admin", "X-ClickHouse-Key": "friend"}):
        assert keyed.get("SELECT 1", headers).code == 516
    assert keyed.post("DROP TABLE otel_traces", {"X-ClickHouse-Key": "friend"}).code == 164
    assert keyed.get("SELECT getSetting('readonly')", ADMIN).body == b"2\n"
    assert keyed.send("GET", path="/ping").status == 200


def test_other_sites(sql: Sql) -> None:
    """Without a key only this machine's own names are answered to, and no page of another site, whoever asks."""
    for host in ("localhost", "localhost:8123", "127.0.0.1", "[::1]:8123", "x.localhost", "192.168.1.5:80"):
        assert sql.get("SELECT 1", {"Host": host}).status == 200
    for host in (
        "evil.example",
        "evil.example:8123",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "a@127.0.0.1",
    ):
        assert sql.get("SELECT 1", {"Host": host}).code == 497
    assert sql.get("SELECT 1", {"Host": "evil.example", **ADMIN}).status == 200
    for site in ("cross-site", "same-site"):
        assert sql.get("SELECT 1", {"Sec-Fetch-Site": site}).code == 497
        assert sql.post("SELECT 1", {"Sec-Fetch-Site": site, **ADMIN}).code == 497
    assert sql.get("SELECT 1", {"Sec-Fetch-Site": "none"}).status == 200


def test_get_changes_nothing(sql: Sql, tmp_path: Path) -> None:
    """What changes anything needs POST, also from the administrator."""
    sql.admin("CREATE TABLE of_get (a Int8) ENGINE = MergeTree ORDER BY a")
    file = tmp_path / "written"
    for query in (
        "DROP TABLE of_get",
        "INSERT INTO of_get VALUES (1)",
        "INSERT INTO of_get FORMAT CSV 1",
        "WITH 1 AS x INSERT INTO of_get SELECT x",
        "SET max_threads = 1",
        "KILL QUERY WHERE 1",
        "SYSTEM FLUSH LOGS",
        f"SELECT 1 INTO OUTFILE '{file}'",
        f"EXPLAIN SELECT 1 INTO OUTFILE '{file}'",
        "SELECT 1; DROP TABLE of_get",
        "CREATE TEMPORARY TABLE x (a Int8)",
    ):
        for method in ("GET", "HEAD"):
            reply = sql.send(method, None, ADMIN, query=query)
            assert reply.code in (62, 164), (query, reply)
    assert sql.get("SELECT count() FROM of_get", ADMIN).body == b"0\n"
    assert not file.exists()
    sql.admin("DROP TABLE of_get")
