"""``hansei query``: SQL against a running collector, a ClickHouse server, or the data of a stopped collector."""

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hansei.collector.data_lock import DataLock, holder_of
from hansei.collector.errors import HanseiError, StoreError
from hansei.collector.store import EmbeddedStore, ServerStore, Store

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_OWN_FORMAT = re.compile(r"\bFORMAT\s+\w+\s*;?\s*$", re.IGNORECASE)


class QueryError(HanseiError):
    """ClickHouse refused a query."""


def query(sql: str, *, data: Path, clickhouse: str | None, output_format: str | None) -> None:
    """Run a query and write its result to standard output.

    ``output_format`` is any of ClickHouse's; ``PrettyCompact`` where neither it nor the query names one.
    Raises :class:`QueryError` with ClickHouse's text, or :class:`StoreError`.
    """
    if clickhouse is not None:
        _run(ServerStore(clickhouse), sql, output_format)
        return
    holder = holder_of(data)
    if holder is not None and holder.sql is not None:
        password = os.environ.get("HANSEI_ADMIN_KEY") or os.environ.get("HANSEI_API_KEY") or ""
        _run(ServerStore(f"http://default:{password}@{holder.sql}/default"), sql, output_format)
        return
    if holder is None and not (data / "clickhouse").is_dir():
        raise StoreError(f"there is no data in {data}; start `hansei serve`, or name its folder with --data")
    lock = DataLock(data)
    try:
        _run(EmbeddedStore(data / "clickhouse"), sql, output_format)
    finally:
        lock.release()


def _run(store: Store, sql: str, output_format: str | None) -> None:
    from clickhouse_connect.driver.exceptions import ClickHouseError

    if output_format is None and not _OWN_FORMAT.search(sql):
        output_format = "PrettyCompact"
    try:
        client: Client = store.client()
        with client.raw_stream(sql.rstrip().rstrip(";"), fmt=output_format) as result:
            while chunk := result.read(1 << 20):
                sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
    except ClickHouseError as error:
        raise QueryError(str(error).strip().split("\n", 1)[0]) from error
    finally:
        store.close()
