"""How long each table keeps its rows: by ClickHouse's TTL, or by a task where some traces are to stay longer.

What is built on the collector may name the traces that outlive the others in a view, ``retained_traces``, with their
``TraceId``. A TTL cannot ask a view; so where there is one, spans go by partition, a day at a time: a day that has none
of those traces is dropped, any other is rewritten with them alone.
"""

import logging
import re
import threading
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from hansei.collector.store import Store

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

log = logging.getLogger("hansei.collector")

RETAINED: Final = "retained_traces"
_LOGS: Final = "otel_logs"
_TABLES: Final = {
    "otel_traces": "toDateTime(Timestamp)",
    "otel_traces_trace_id_ts": "Start",
    _LOGS: "toDateTime(Timestamp)",
}
"""The column of each table that its TTL counts from."""
_OF_TRACES: Final = {"otel_traces": "Timestamp", "otel_traces_trace_id_ts": "Start"}
"""The tables with rows of a trace, and the column whose day is their partition."""

_PAUSE: Final = 3600.0
"""Seconds between two looks for days that are past: one query over the trace ids of such days."""

_DEFINITION: Final = (
    "SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = {table:String}"
)
_READING: Final = {"max_threads": 1}
_REWRITING: Final = {"mutations_sync": 0, "allow_nondeterministic_mutations": 1}
"""In the background, and with a question in the condition, which each replica asks for itself."""


def apply_retention(client: "Client", *, traces: int, logs: int, cluster: str | None = None) -> None:
    """Set the tables' TTL in seconds (0: for ever) where it differs; old rows go as ClickHouse merges.

    Where there are traces that stay, those tables have no TTL: they are :class:`Retention`'s.
    """
    if retains_traces(client):
        traces = 0
    on_cluster = f" ON CLUSTER `{cluster}`" if cluster else ""
    for table, column in _TABLES.items():
        wanted = logs if table == _LOGS else traces
        match = re.search(r"\bTTL .+? \+ toIntervalSecond\((\d+)\)", str(client.command(_DEFINITION, {"table": table})))
        if wanted == (int(match[1]) if match else 0):
            continue
        if wanted:
            client.command(
                f"ALTER TABLE {table}{on_cluster} MODIFY TTL {column} + toIntervalSecond({wanted}) "
                "SETTINGS materialize_ttl_after_modify = 0"
            )
        else:
            client.command(f"ALTER TABLE {table}{on_cluster} REMOVE TTL")


def retains_traces(client: "Client") -> bool:
    """Whether some traces outlive the others."""
    return bool(client.query(_DEFINITION, {"table": RETAINED}).result_rows)


def drop_expired(client: "Client", *, traces: int, labelled: int) -> dict[str, list[str]]:
    """Drop the days that ended more than ``traces`` seconds ago, but for retained traces of the last ``labelled``
    seconds (0: of all time); answers the days that were dropped or are being rewritten, by table.

    It may be done at any time, by several at once, and broken off. A rewriting goes on in the background.
    """
    changed: dict[str, list[str]] = {}
    for table, column in _OF_TRACES.items():
        asked = {"table": table, "column": column, "traces": traces, "labelled": labelled}
        days = client.query(_sql("expired_days"), asked, settings=_READING).result_rows
        ((rewriting,),) = client.query(_sql("rewrites_under_way"), {"table": table}).result_rows
        for day, kept in days:
            if kept and rewriting:
                # It may be this one; what it leaves is seen at the next look.
                continue
            command, settings = ("rewrite_day", _REWRITING) if kept else ("drop_day", {})
            client.command(_sql(command), {"table": table, "day": day}, settings=settings)
            changed.setdefault(table, []).append(day)
    return changed


def _sql(name: str) -> str:
    return files("hansei.collector.queries").joinpath(f"{name}.sql").read_text()


class Retention:
    """A thread that drops what is past, at the start and every hour."""

    def __init__(self, store: Store, stopping: threading.Event, *, traces: int, labelled: int) -> None:
        """``traces``, ``labelled``: seconds that spans are kept, and those of retained traces; 0: for ever.

        ``stopping`` ends it.
        """
        self._store = store
        self._stopping = stopping
        self._traces = traces
        self._labelled = labelled
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Begin, where anything is ever past."""
        if self._traces:
            self._thread.start()

    def stop(self) -> None:
        """Return once it has ended; ``stopping`` must be set."""
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        failing = False
        while not self._stopping.is_set():
            try:
                client = self._store.client()
                if retains_traces(client):
                    drop_expired(client, traces=self._traces, labelled=self._labelled)
                failing = False
            except Exception as error:
                # Old spans can wait; a store that is away is reported by the inserter.
                if not failing:
                    log.warning("old spans could not be dropped: %s", str(error).split("\n", 1)[0])
                failing = True
            self._stopping.wait(_PAUSE)
