"""``hansei query``: SQL against a running collector, a ClickHouse server, or the data of a stopped collector."""

import re
import sys
from pathlib import Path

from hansei.collector.access import open_store
from hansei.collector.errors import HanseiError

_OWN_FORMAT = re.compile(r"\bFORMAT\s+\w+\s*;?\s*$", re.IGNORECASE)


class QueryError(HanseiError):
    """ClickHouse refused a query."""


def query(sql: str, *, data: Path, clickhouse: str | None, output_format: str | None) -> None:
    """Run a query and write its result to standard output.

    ``output_format`` is any of ClickHouse's; ``PrettyCompact`` where neither it nor the query names one.
    Raises :class:`QueryError` with ClickHouse's text, or :class:`~hansei.collector.errors.StoreError`.
    """
    from clickhouse_connect.driver.exceptions import ClickHouseError

    if output_format is None and not _OWN_FORMAT.search(sql):
        output_format = "PrettyCompact"
    with open_store(data, clickhouse) as store:
        client = store.client()
        try:
            with client.raw_stream(sql.rstrip().rstrip(";"), fmt=output_format) as result:
                while chunk := result.read(1 << 20):
                    sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
        except ClickHouseError as error:
            raise QueryError(str(error).strip().split("\n", 1)[0]) from error
