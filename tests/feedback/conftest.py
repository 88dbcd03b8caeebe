"""What the tests of feedback share: a collector in a process of its own, its tables, and events for them.

The embedded engine takes one folder a process, and this process may have opened another one's: so the tables are
reached as an administrator reaches them, over SQL.
"""

import itertools
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hansei.feedback.attributes import EVENT_NAME

# The tests are no package whose name could be written out.
from ..collector import conftest  # noqa: TID252
from ..collector.processes import Serving  # noqa: TID252
from ..tables import ADMIN_KEY, sql_client  # noqa: TID252

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

hansei = conftest.hansei
serve = conftest.serve
clients = conftest.clients
wait = conftest.wait

NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
LOG_COLUMNS = ["Timestamp", "TraceId", "SpanId", "ServiceName", "EventName", "LogAttributes"]
ONCE = {"insert_deduplicate": 1, "deduplicate_blocks_in_dependent_materialized_views": 1}

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A collector that every test uses; none may stop it."""
    running = Serving(tmp_path_factory.mktemp("feedback") / "data", "--segment-age=30ms", HANSEI_ADMIN_KEY=ADMIN_KEY)
    yield running
    running.close()


@pytest.fixture(scope="session")
def client(serving: Serving) -> Iterator["Client"]:
    """The tables."""
    with sql_client(serving) as opened:
        yield opened


class Tables:
    """Events in, rows out."""

    def __init__(self, client: "Client") -> None:
        self.client = client

    def insert(self, *events: dict[str, Any], settings: dict[str, Any] | None = None) -> None:
        """Insert events as log records; ``at`` is in seconds after noon, other keys without a dot are columns."""
        self.client.insert(
            "otel_logs", [_log_row(event) for event in events], column_names=LOG_COLUMNS, settings=settings or {}
        )

    def rows(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """The result of a query."""
        return [tuple(row) for row in self.client.query(sql, parameters).result_rows]

    def of(self, trace_id: str, columns: str = "*", view: str = "feedback") -> list[dict[str, Any]]:
        """The rows of a trace, in the order of the assessments' ids."""
        result = self.client.query(
            f"SELECT {columns} FROM {view} WHERE TraceId = {{id:String}} ORDER BY AssessmentId", {"id": trace_id}
        )
        return list(result.named_results())

    def only(self, trace_id: str, columns: str = "*", view: str = "feedback") -> dict[str, Any]:
        """The one row of a trace."""
        (row,) = self.of(trace_id, columns, view)
        return row

    def plan(self, sql: str) -> str:
        """How a query is executed, with what its indexes leave to read."""
        return "\n".join(str(row[0]) for row in self.rows(f"EXPLAIN indexes = 1 {sql}"))


def _log_row(event: dict[str, Any]) -> list[Any]:
    given = dict(event)
    at = NOON + timedelta(seconds=given.pop("at", 0))
    row = {
        "Timestamp": (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000,
        "TraceId": given.pop("TraceId"),
        "SpanId": given.pop("SpanId", ""),
        "ServiceName": given.pop("ServiceName", "shop"),
        "EventName": given.pop("EventName", EVENT_NAME),
        "LogAttributes": {key: str(value) for key, value in given.items()},
    }
    return [row[column] for column in LOG_COLUMNS]


@pytest.fixture(scope="session")
def tables(client: "Client") -> Tables:
    """The tables, with what tests do to them."""
    return Tables(client)


@pytest.fixture
def trace_id() -> str:
    """One that was never used."""
    return uuid.uuid4().hex


def own(**values: Any) -> dict[str, Any]:
    """An event's attributes: ``own(id="a", source__id="ana")`` are hansei's; ``name`` is the evaluation's."""
    named = {"gen_ai.evaluation.name": values.pop("name")} if "name" in values else {}
    columns = {key: values.pop(key) for key in ("at", "TraceId", "SpanId", "ServiceName") if key in values}
    return columns | named | {f"hansei.assessment.{key.replace('__', '.')}": value for key, value in values.items()}


@pytest.fixture
def new_database(serving: Serving, client: "Client") -> Iterator[Callable[[], "Client"]]:
    """``new_database()``: a client of an empty database of its own."""
    opened: list[tuple[str, Client]] = []

    def make() -> "Client":
        name = f"scratch_{next(_numbers)}"
        client.command(f"CREATE DATABASE {name}")
        opened.append((name, sql_client(serving, name)))
        return opened[-1][1]

    yield make
    for name, scratch in opened:
        scratch.close()
        client.command(f"DROP DATABASE {name} SYNC")


__all__ = ["ADMIN_KEY", "EVENT_NAME", "NOON", "ONCE", "Tables", "own", "sql_client"]
