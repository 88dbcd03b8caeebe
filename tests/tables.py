"""The tables of a collector, for tests."""

from typing import TYPE_CHECKING, Final

import clickhouse_connect

from .collector.processes import Serving

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

ADMIN_KEY: Final = "sesame"
"""Of every collector whose tables a test opens."""


def sql_client(serving: Serving, database: str = "default") -> "Client":
    """The tables, as an administrator has them."""
    return clickhouse_connect.get_client(
        host=serving.sql.host, port=serving.sql.port, username="admin", password=ADMIN_KEY, database=database,
        autogenerate_session_id=False,
    )  # fmt: skip
