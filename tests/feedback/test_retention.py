"""Retention: a labelled trace outlives raw traffic, whole."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hansei.cli import _SCHEMA
from hansei.collector.migrations import migrate
from hansei.collector.retention import apply_retention, drop_expired

# The tests are no package whose name could be written out.
from ..collector.processes import Serving  # noqa: TID252
from .conftest import ADMIN_KEY, EVENT_NAME, own, sql_client

DAY = 86_400


class Old:
    """A database with the whole schema, and traces of some days ago."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def trace(self, *days_ago: float, conversation: str = "") -> str:
        """A trace with two spans at each of some times."""
        trace_id = uuid.uuid4().hex
        self.client.command(
            """
            INSERT INTO otel_traces (Timestamp, TraceId, SpanId, SpanAttributes)
            SELECT addSeconds(toDateTime64(today(), 9), toInt64(-86400 * days + number)), {trace:String},
                lower(hex(sipHash64(days, number))),
                map('gen_ai.conversation.id', {conversation:String})
            FROM numbers(2) ARRAY JOIN {days:Array(Float64)} AS days
            """,
            {"trace": trace_id, "days": list(days_ago), "conversation": conversation},
        )
        return trace_id

    def say(self, trace_id: str, **said: Any) -> None:
        """An assessment, now."""
        others = {key: said.pop(key) for key in list(said) if "." in key}
        attributes = others | own(**{"name": "good", "value": "true", **said})
        self.client.insert(
            "otel_logs",
            [[time.time_ns(), trace_id, EVENT_NAME, attributes]],
            column_names=["Timestamp", "TraceId", "EventName", "LogAttributes"],
        )

    def drop(self, traces: int = 10 * DAY, labelled: int = 0) -> dict[str, list[str]]:
        changed = drop_expired(self.client, traces=traces, labelled=labelled)
        while self.ask("SELECT count() FROM system.mutations WHERE database = currentDatabase() AND NOT is_done"):
            threading.Event().wait(0.02)
        return changed

    def ask(self, sql: str, **parameters: Any) -> Any:
        return self.client.query(sql, parameters).result_rows[0][0]

    def spans(self, trace_id: str) -> tuple[int, int, bool]:
        """Its spans, those that a look-up finds, and whether its times are known."""
        return (
            self.ask("SELECT countIf(TraceId = {id:String}) FROM otel_traces", id=trace_id),
            self.ask("SELECT sum(Spans) FROM genai_traces WHERE TraceId = {id:String}", id=trace_id),
            bool(self.ask("SELECT count() FROM otel_traces_trace_id_ts WHERE TraceId = {id:String}", id=trace_id)),
        )


@pytest.fixture(scope="module")
def old(serving: Serving, client: Any) -> Iterator[Old]:
    """One for all tests: what is of another is gone, or stays."""
    client.command("CREATE DATABASE retention")
    with sql_client(serving, "retention") as opened:
        migrate(opened, packages=_SCHEMA)
        yield Old(opened)
    client.command("DROP DATABASE retention SYNC")


GONE, WHOLE = (0, 0, False), (2, 2, True)


def test_labelled_traces_stay(old: Old) -> None:
    """What a person said something of, or somebody expects something of, stays with all its spans, on both sides of
    midnight; the rest of its day goes, a day without any is dropped, and what is young is left alone."""
    thumbs, expected, judged, silent = (old.trace(20) for _ in range(4))
    midnight = old.trace(20, 19, 9)
    alone = old.trace(30)
    young = old.trace(9)
    of_session = old.trace(25, conversation="c-1")
    other_session = old.trace(25, conversation="c-2")
    retracted = old.trace(26)
    for trace_id in (thumbs, midnight):
        old.say(trace_id, source__type="HUMAN", source__id="ana")
    old.say(expected, kind="expectation", source__type="CODE")
    old.say(judged, source__type="LLM_JUDGE")
    old.say("", source__type="HUMAN", **{"gen_ai.conversation.id": "c-1"})
    old.say(retracted, id="a-1", source__type="HUMAN")
    old.say(retracted, id="a-1", deleted="true")

    changed = old.drop()
    assert {table: len(days) for table, days in changed.items()} == {"otel_traces": 4, "otel_traces_trace_id_ts": 4}
    assert [old.spans(trace) for trace in (thumbs, expected, of_session, young)] == [WHOLE] * 4
    assert old.spans(midnight) == (6, 6, True)
    assert [old.spans(trace) for trace in (judged, silent, alone, other_session, retracted)] == [GONE] * 5
    assert old.drop() == {}


def test_late_spans_and_labels(old: Old) -> None:
    """A late span of a labelled trace stays, one of another goes; a label on what is gone is reported."""
    labelled, other = old.trace(20), old.trace(20)
    old.say(labelled, source__type="HUMAN")
    old.drop()
    old.client.command(
        "INSERT INTO otel_traces (Timestamp, TraceId, SpanId) "
        "SELECT now() - toIntervalDay(20), arrayJoin([{a:String}, {b:String}]), 'late'",
        {"a": labelled, "b": other},
    )
    old.say(other, source__type="CODE")
    assert len(old.drop()["otel_traces"]) == 1
    assert old.spans(labelled) == (3, 3, True)
    assert old.spans(other) == GONE
    reason = old.ask("SELECT Reason FROM feedback_unlinked WHERE TraceId = {id:String}", id=other)
    assert reason == "its trace has not come"


def test_labelled_traces_go_in_the_end(old: Old) -> None:
    """With an age of their own, labelled traces older than that go too."""
    older, newer = old.trace(200), old.trace(20)
    for trace_id in (older, newer):
        old.say(trace_id, source__type="HUMAN")
    old.drop(labelled=100 * DAY)
    assert (old.spans(older), old.spans(newer)) == (GONE, WHOLE)


def test_several_collectors(old: Old) -> None:
    """Several collectors may do it at the same time, while spans and labels come in."""
    kept = [old.trace(12, 13) for _ in range(2)]
    for trace_id in kept:
        old.say(trace_id, source__type="HUMAN")
    gone = [old.trace(12, 13, 14) for _ in range(2)]
    failures: list[BaseException] = []

    def drop() -> None:
        try:
            drop_expired(old.client, traces=10 * DAY, labelled=0)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=drop) for _ in range(3)]
    for thread in threads:
        thread.start()
    came = old.trace(15)
    old.say(came, source__type="HUMAN")
    for thread in threads:
        thread.join()
    while old.drop():
        pass
    assert failures == []
    assert [old.spans(trace) for trace in kept] == [(4, 4, True)] * 2
    assert [old.spans(trace) for trace in gone] == [GONE] * 2


def test_no_ttl_where_traces_stay(old: Old, new_database: Callable[[], Any]) -> None:
    """Spans have a TTL only in a store in which none are to stay; log records have theirs in both."""
    bare = new_database()
    migrate(bare)
    found = []
    for client in (bare, old.client):
        apply_retention(client, traces=DAY, logs=2 * DAY)
        ddl = "SELECT name FROM system.tables WHERE database = currentDatabase() AND create_table_query LIKE '%TTL %'"
        found.append(sorted(row[0] for row in client.query(ddl).result_rows))
    # Of what passes by itself.
    own = ["dataset_uploads", "evaluation_lease_terms", "judge_responses"]
    assert found == [["otel_logs", "otel_traces", "otel_traces_trace_id_ts"], [*own, "otel_logs"]]


def test_a_collector_does_it(serve: Callable[..., Any], tmp_path: Path, wait: Callable[..., None]) -> None:
    """A collector drops what is past when it starts."""
    data = tmp_path / "data"
    first = serve(data=data, HANSEI_ADMIN_KEY=ADMIN_KEY)
    with sql_client(first) as client:
        old = Old(client)
        labelled, other = old.trace(20), old.trace(20)
        old.say(labelled, source__type="HUMAN")
    first.end()
    second = serve("--retention-traces=10d", data=data, HANSEI_ADMIN_KEY=ADMIN_KEY)
    with sql_client(second) as client:
        old = Old(client)
        wait(lambda: old.spans(other) == GONE, "the old trace to go")
        assert old.spans(labelled) == WHOLE
    assert second.errors() == ""
