"""How a command reaches the data: a server, the collector that runs on it, or the folder itself."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from hansei.collector.data_lock import DataLock, holder_of
from hansei.collector.errors import StoreError
from hansei.collector.store import EmbeddedStore, ServerStore, Store


@contextmanager
def open_store(data: Path, clickhouse: str | None) -> Iterator[Store]:
    """The store to work with, closed at the end.

    ``clickhouse``: a server's address. Without it, a running collector on ``data`` is asked through its SQL
    endpoint (with ``HANSEI_ADMIN_KEY`` or ``HANSEI_API_KEY``); where none runs, the data is opened here.
    Raises :class:`~hansei.collector.errors.HanseiError`.
    """
    holder = holder_of(data)
    lock = None
    store: Store
    if clickhouse is not None:
        store = ServerStore(clickhouse)
    elif holder is not None and holder.sql is not None:
        password = os.environ.get("HANSEI_ADMIN_KEY") or os.environ.get("HANSEI_API_KEY") or ""
        store = ServerStore(f"http://default:{quote(password, safe='')}@{holder.sql}/default")
    elif holder is None and not (data / "clickhouse").is_dir():
        raise StoreError(f"there is no data in {data}; start `hansei serve`, or name its folder with --data")
    else:
        lock = DataLock(data)
        store = EmbeddedStore(data / "clickhouse")
    try:
        yield store
    finally:
        store.close()
        if lock is not None:
            lock.release()
