"""How long each table keeps its rows, by ClickHouse's TTL."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_TABLES = {
    "otel_traces": "toDateTime(Timestamp)",
    "otel_traces_trace_id_ts": "Start",
    "otel_logs": "toDateTime(Timestamp)",
}


def apply_retention(client: "Client", *, traces: int, logs: int, cluster: str | None = None) -> None:
    """Set the tables' TTL in seconds (0: for ever) where it differs; old rows go as ClickHouse merges."""
    seconds = {"otel_traces": traces, "otel_traces_trace_id_ts": traces, "otel_logs": logs}
    on_cluster = f" ON CLUSTER `{cluster}`" if cluster else ""
    for table, column in _TABLES.items():
        wanted = seconds[table]
        ddl = str(client.command(
            "SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = {table:String}",
            {"table": table},
        ))  # fmt: skip
        match = re.search(r"\bTTL .+? \+ toIntervalSecond\((\d+)\)", ddl)
        if wanted == (int(match[1]) if match else 0):
            continue
        if wanted:
            client.command(
                f"ALTER TABLE {table}{on_cluster} MODIFY TTL {column} + toIntervalSecond({wanted}) "
                "SETTINGS materialize_ttl_after_modify = 0"
            )
        else:
            client.command(f"ALTER TABLE {table}{on_cluster} REMOVE TTL")
