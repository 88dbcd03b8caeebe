"""Lists of sessions: the shortcut finds what the long way finds, in pages."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hansei.collector.migrations import migrate
from hansei.feedback.search import newest_sessions, sessions
from hansei.feedback.search.connection import Query
from hansei.feedback.search.sessions import find_sessions

from ..collector.processes import Serving  # noqa: TID252
from .conftest import NOON, sql_client

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

SESSIONS = 120
HOUR = 3600 * 10**9


@pytest.fixture(scope="module")
def database(serving: Serving, client: "Client") -> Iterator["Client"]:
    """A database of this module's own, with conversations of minutes and of hours; several begin at once."""
    client.command("CREATE DATABASE conversations")
    with sql_client(serving, "conversations") as opened:
        migrate(opened, packages=("hansei.collector.schema", "hansei.feedback.schema"))
        draw = random.Random(7)
        rows: list[list[Any]] = []
        for number in range(SESSIONS):
            began = int(NOON.timestamp()) * 10**9 + draw.randrange(300) * 60 * 10**9
            lasts = draw.choice([1, HOUR // 30, 4 * HOUR])
            for turn in range(draw.randint(1, 6)):
                attributes = {"session.id": f"s-{number}", "user.id": draw.choice(["ann", "bob", "eve"])}
                at = began + (draw.randrange(lasts) if turn else 0)
                rows.append([at, f"{number:024x}{turn:08x}", f"{number:08x}{turn:08x}", "shop", attributes])
        rows += [[int(NOON.timestamp()) * 10**9, f"{number:032x}", "1" * 16, "shop", {}] for number in range(50)]
        columns = ["Timestamp", "TraceId", "SpanId", "ServiceName", "SpanAttributes"]
        opened.insert("otel_traces", rows, column_names=columns)
        yield opened
    client.command("DROP DATABASE conversations SYNC")


@pytest.fixture
def asked(database: "Client") -> list[str]:
    """The statements that were asked."""
    return []


@pytest.fixture
def query(database: "Client", asked: list[str]) -> Query:
    """Reads that database."""

    def read(sql: str, parameters: Any) -> list[dict[str, Any]]:
        asked.append(sql)
        return list(database.query(sql, parameters=dict(parameters)).named_results())

    return read


def _all(query: Query, **given: Any) -> list[dict[str, Any]]:
    """Page after page."""
    found: list[dict[str, Any]] = []
    token = None
    while True:
        page = find_sessions(query, max_results=7, page_token=token, **given)
        found += page
        token = page.next_page_token
        if token is None:
            return found


@pytest.mark.parametrize("looks", [1, 3, 100])
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"user": "ann"},
        {"where": "Traces > 4"},
        {"user": "nobody"},
        {"session_id": "s-3"},
        {"start_time": NOON + timedelta(hours=1), "end_time": NOON + timedelta(hours=3)},
        {"start_time": NOON + timedelta(hours=6)},
        {"end_time": NOON + timedelta(seconds=1)},
        {"start_time": NOON + timedelta(days=2)},
    ],
)
def test_pages_together_are_all_that_fit(
    query: Query, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], looks: int
) -> None:
    """However few looks there are, the pages have each session that fits once, the newest first, with its sums."""
    monkeypatch.setattr(newest_sessions, "_LOOKS", looks)
    monkeypatch.setattr(sessions, "_COUNTED_AT_ONCE", 3)
    found = _all(query, **given)
    monkeypatch.setattr(sessions, "newest_sessions", lambda *_: None)
    assert found == list(find_sessions(query, max_results=1000, **given))


def test_a_page_does_not_put_all_sessions_together(query: Query, asked: list[str]) -> None:
    """The newest are read by their ids."""
    assert len(find_sessions(query, max_results=7)) == 7
    assert not any("SELECT DISTINCT ConversationId" in sql for sql in asked)
    assert len(find_sessions(query, user="nobody", max_results=7)) == 0
    assert any("SELECT DISTINCT ConversationId" in sql for sql in asked)
    asked.clear()
    assert len(find_sessions(query, max_results=10_000)) == SESSIONS
    assert any("SELECT DISTINCT ConversationId" in sql for sql in asked)
