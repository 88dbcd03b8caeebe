"""The schema: applied once each, in order, safe to repeat, and never over a newer one."""

from collections.abc import Iterator
from typing import Any

import pytest

from hansei.collector.errors import StoreError
from hansei.collector.migrations import _for_cluster, migrate, migrations
from hansei.collector.retention import apply_retention
from hansei.collector.store import EmbeddedStore


@pytest.fixture
def database(engine: EmbeddedStore) -> Iterator[Any]:
    """A client of an empty database beside the others."""
    client = engine._connect()
    client.command("CREATE DATABASE scratch")
    client.command("USE scratch")
    yield client
    client.command("USE default")
    client.command("DROP DATABASE scratch SYNC")
    client.close()


@pytest.fixture(scope="module")
def fresh(engine: EmbeddedStore) -> dict[str, str]:
    """The definition of each object of a fresh store."""
    client = engine._connect()
    client.command("CREATE DATABASE scratch")
    client.command("USE scratch")
    migrate(client)
    found = tables(client)
    client.command("USE default")
    client.command("DROP DATABASE scratch SYNC")
    client.close()
    return found


def tables(client: Any) -> dict[str, str]:
    """The definition of each object in the database."""
    found = client.query(
        "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase()"
    ).result_rows
    return {row[0]: row[1] for row in found}


def test_fresh_and_again(database: Any, fresh: dict[str, str]) -> None:
    """A fresh store gets every file in order; again, nothing is applied and nothing has changed."""
    names = [migration.name for migration in migrations()]
    assert migrate(database) == names
    assert tables(database) == fresh
    assert migrate(database) == []
    assert tables(database) == fresh
    recorded = database.query("SELECT Version, Name FROM hansei_schema ORDER BY Version").result_rows
    assert [tuple(row) for row in recorded] == [(migration.version, migration.name) for migration in migrations()]


def test_every_statement_can_be_repeated(database: Any, fresh: dict[str, str]) -> None:
    """A run that was interrupted before it was recorded, anywhere, is taken up again and ends equal."""
    migrate(database)
    database.command("TRUNCATE TABLE hansei_schema")
    assert migrate(database) == [migration.name for migration in migrations()]
    assert tables(database) == fresh


@pytest.mark.parametrize("version", range(1, len(list(migrations())) + 1))
def test_taken_up_in_the_middle(database: Any, fresh: dict[str, str], version: int) -> None:
    """A store at any earlier version ends equal to a fresh one."""
    before = [migration for migration in migrations() if migration.version < version]
    for migration in before:
        database.command(migration.sql)
    database.command(fresh["hansei_schema"])
    for migration in before:
        database.command(f"INSERT INTO hansei_schema (Version, Name) VALUES ({migration.version}, '{migration.name}')")
    assert migrate(database) == [migration.name for migration in migrations() if migration.version >= version]
    assert tables(database) == fresh


def test_newer_schema(database: Any) -> None:
    """A store whose schema is newer than the program is refused, and left alone."""
    migrate(database)
    database.command("INSERT INTO hansei_schema (Version, Name) VALUES (9000, '9000_later.sql')")
    newest = max(migration.version for migration in migrations())
    with pytest.raises(StoreError) as caught:
        migrate(database)
    assert str(caught.value) == (
        f"the store has schema 9000 (9000_later.sql), newer than this hansei, which knows {newest}; upgrade hansei"
    )


def test_numbers_are_a_sequence() -> None:
    """The files are numbered from 1 without a gap, each number once."""
    assert [migration.version for migration in migrations()] == list(range(1, len(list(migrations())) + 1))


def test_for_a_cluster() -> None:
    """On a cluster every object is made on all of it, and every table is replicated; its name is quoted."""
    for migration in migrations():
        here, there = migration.sql, _for_cluster(migration.sql, "it's")
        if "CREATE" in here:
            assert "ON CLUSTER 'it\\'s'" in there
        assert there.count("ReplicatedMergeTree") == here.count("ENGINE = /*Replicated*/MergeTree")
        assert "/*" not in there.replace("/*ON CLUSTER*/", "")


TTL = {
    "otel_traces": "toDateTime(Timestamp)",
    "otel_traces_trace_id_ts": "Start",
    "otel_logs": "toDateTime(Timestamp)",
}


def ttls(client: Any) -> dict[str, str | None]:
    """The TTL of each table that may have one."""
    found = tables(client)
    return {
        name: found[name].split(" TTL ")[1].split(" SETTINGS ")[0] if " TTL " in found[name] else None for name in TTL
    }


def test_retention(database: Any) -> None:
    """A retention is set, changed and removed, each table's from its own setting; set again it changes nothing."""
    migrate(database)
    without = tables(database)
    assert set(ttls(database).values()) == {None}
    for traces, logs in ((3600, 0), (3600, 7200), (86400, 7200), (86400, 7200), (0, 60), (0, 0)):
        apply_retention(database, traces=traces, logs=logs)
        wanted = {"otel_traces": traces, "otel_traces_trace_id_ts": traces, "otel_logs": logs}
        assert ttls(database) == {
            name: f"{TTL[name]} + toIntervalSecond({seconds})" if seconds else None for name, seconds in wanted.items()
        }
    assert tables(database) == without


def test_retention_drops_old_rows(database: Any) -> None:
    """Rows older than the retention go when parts are merged; newer ones stay."""
    migrate(database)
    database.command(
        "INSERT INTO otel_logs (Timestamp, Body) VALUES (now64(9) - INTERVAL 3 DAY, 'old'), (now64(9), 'new')"
    )
    apply_retention(database, traces=0, logs=86400)
    database.command("OPTIMIZE TABLE otel_logs FINAL")
    assert [tuple(row) for row in database.query("SELECT Body FROM otel_logs").result_rows] == [("new",)]
