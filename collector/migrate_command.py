"""``hansei migrate``."""

from collections.abc import Sequence
from pathlib import Path

from clickhouse_connect.driver.exceptions import ClickHouseError

from hansei.collector.data_lock import DataLock
from hansei.collector.errors import StoreError
from hansei.collector.migrations import migrate
from hansei.collector.output import say
from hansei.collector.store import EmbeddedStore, ServerStore


def migrate_store(data: Path, clickhouse: str | None, cluster: str | None, schema: Sequence[str]) -> None:
    """Apply the schema and print what was applied. Raises :class:`~hansei.collector.errors.HanseiError`.

    ``schema``: the packages that hold its files.
    """
    if clickhouse is not None:
        server = ServerStore(clickhouse)
        server.create_database()
        _migrate(server, cluster, schema)
        return
    lock = DataLock(data)
    try:
        _migrate(EmbeddedStore(data / "clickhouse"), None, schema)
    finally:
        lock.release()


def _migrate(store: EmbeddedStore | ServerStore, cluster: str | None, schema: Sequence[str]) -> None:
    try:
        applied = migrate(store.client(), cluster, schema)
    except ClickHouseError as error:
        raise StoreError(f"ClickHouse refused to be prepared: {str(error).strip().splitlines()[0]}") from error
    finally:
        store.close()
    for name in applied:
        say(f"applied {name}")
    say(f"{store.name}: the schema is up to date")
