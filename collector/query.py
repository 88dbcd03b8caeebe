"""``hansei query``: SQL against a running collector, a ClickHouse server, or the data of a stopped collector."""

import re
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hansei.collector.access import open_store
from hansei.collector.errors import HanseiError
from hansei.collector.output import write

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_OWN_FORMAT = re.compile(r"\bFORMAT\s+\w+(\s+SETTINGS\b.*)?(\s|;|--[^\n]*)*$", re.IGNORECASE | re.DOTALL)
_INSERT = re.compile(r"\s*INSERT\b", re.IGNORECASE)


class QueryError(HanseiError):
    """ClickHouse refused a query."""


def query(sql: str, *, data: Path, clickhouse: str | None, output_format: str | None) -> None:
    """Run a query and write its result to standard output.

    ``output_format`` is any of ClickHouse's; ``PrettyCompact`` where neither it nor the query names one.
    Raises :class:`QueryError` with ClickHouse's text, or another :class:`~hansei.collector.errors.HanseiError`.
    """
    from clickhouse_connect.driver.exceptions import ClickHouseError

    if not sql.strip(" \t\n;"):
        raise QueryError("there is no SQL in the query")
    # In an INSERT, a format is that of the data.
    if output_format is None and not _OWN_FORMAT.search(sql) and not _INSERT.match(sql):
        output_format = "PrettyCompact"
    with open_store(data, clickhouse) as store:
        try:
            with _result(store.client(), sql.rstrip().rstrip(";"), output_format) as result:
                while chunk := result.read(1 << 20):
                    write(chunk)
        except ClickHouseError as error:
            raise QueryError(str(error).strip().split("\n", 1)[0]) from error


def _result(client: "Client", sql: str, output_format: str | None) -> Any:
    """What to read the bytes of the result from, in a with-block."""
    from clickhouse_connect.driver.exceptions import DatabaseError

    try:
        return client.raw_stream(sql, fmt=output_format)
    except DatabaseError as error:
        # The embedded engine streams nothing but SELECT, and says so before it does anything.
        if "Streaming query is not supported" not in str(error):
            raise
        return BytesIO(client.raw_query(sql, fmt=output_format))
