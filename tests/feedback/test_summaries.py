"""Lists of traces: the shortcut finds what the long way finds, in pages, and the previews say what was said."""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hansei.collector.migrations import migrate
from hansei.collector.text_index import apply_text_index
from hansei.feedback.search import newest, summaries
from hansei.feedback.search.charts import trace_facets, trace_histogram
from hansei.feedback.search.connection import Query
from hansei.feedback.search.errors import InvalidSearch
from hansei.feedback.search.explained import explain_traces
from hansei.feedback.search.filter_parser import parse_any
from hansei.feedback.search.filter_sql import trace_conditions
from hansei.feedback.search.moment import END_OF_TIME
from hansei.feedback.search.previews import LONGEST, preview
from hansei.feedback.search.summaries import TraceSummary, list_traces
from hansei.feedback.search.traces import NEWEST_FIRST, Asked, find

from ..collector.processes import Serving  # noqa: TID252
from .conftest import NOON, Tables, own, sql_client

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

SCHEMA = ("hansei.collector.schema", "hansei.feedback.schema")
NOON_NS = int(NOON.timestamp()) * 10**9
TRACES = 400
FILTERS = (
    "",
    "service = 'shop-1'",
    "service != 'shop-1'",
    "service = 'nowhere'",
    "model = 'big'",
    "user = 'ann' AND status = 'ERROR'",
    "session IN ('s-1', 's-2')",
    "status = 'ERROR'",
    "status = 'OK'",
    "name = 'answer'",
    "name LIKE 'a%' AND execution_time_ms > 100",
    "execution_time_ms >= 150",
    "cost > 0.002",
    "cost > 100",
    "cost <= 0.001",
    "tokens >= 1500",
    "tokens < 10",
    "tokens > 500 AND service = 'shop-2'",
    "NOT service = 'shop-1'",
    "service = 'shop-1' OR model = 'small'",
    "status = 'ERROR' OR feedback.helpful = false",
    "feedback.helpful = false",
    "feedback.helpful = true AND service = 'shop-1'",
    "feedback.helpful IS NOT NULL",
    "feedback.helpful IS NULL",
    "feedback.name = 'score'",
    "feedback.score < 0.5",
    "text ~ 'REFUND'",
    "words ~ 'refund'",
    "words ~ 'refund fun'",
    "words ~ 'fund'",
    "span.attributes.place = 'here'",
    "span.name = 'chat' AND span.status = 'ERROR'",
    "span.type = 'TOOL'",
    "trace.timestamp_ms >= {later}",
    "user IS NULL",
)


@pytest.fixture(scope="module")
def database(serving: Serving, client: "Client") -> Iterator["Client"]:
    """A database of this module's own, with random traces: late spans, long traces, missing roots, changed minds."""
    client.command("CREATE DATABASE listed")
    with sql_client(serving, "listed") as opened:
        migrate(opened, packages=SCHEMA)
        opened.command(
            "INSERT INTO model_prices (Provider, Model, Prices, PricesVersion) "
            "VALUES ('openai', 'big', [(0, 0, 0, 1, 0.5, 1.25, 2, 2, 0)], 'own')"
        )
        _fill(opened)
        yield opened
    client.command("DROP DATABASE listed SYNC")


def _fill(client: "Client") -> None:
    draw = random.Random(11)
    rows: list[list[Any]] = []
    events: list[dict[str, Any]] = []
    for number in range(1, TRACES + 1):
        trace_id = f"{number:032x}"
        # Over three hours, so that the stretches of time are crossed; several may begin at once.
        began = NOON_NS + draw.randrange(10_800) * 10**9
        rootless = draw.random() < 0.1
        for index in range(draw.randint(1, 5)):
            model = draw.choice(["big", "small", ""])
            attributes = {"place": draw.choice(["here", "there"]), "note": draw.choice(["a refund of", "fun, refunds"])}
            if model:
                attributes |= {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": model,
                    "gen_ai.usage.input_tokens": str(draw.randrange(900)),
                }
            elif draw.random() < 0.5:
                attributes["gen_ai.operation.name"] = "execute_tool"
            if draw.random() < 0.5:
                attributes |= {"user.id": draw.choice(["ann", "bob"]), "session.id": f"s-{draw.randrange(9)}"}
            # Some spans begin much later than their trace.
            late = 0 if index == 0 else draw.choice([0, 10**6, 10**9, 1800 * 10**9])
            rows.append([
                began + late, trace_id, f"{number:08x}{index:08x}",
                "" if index == 0 and not rootless else f"{number:08x}{0:08x}",
                draw.choice(["answer", "chat"]), f"shop-{draw.randrange(3)}", attributes,
                draw.randrange(200) * 10**6, draw.choice(["Unset", "Ok", "Error"]),
            ])  # fmt: skip
        if draw.random() < 0.3:
            about = {"TraceId": trace_id, "id": f"a{number}", "source__type": draw.choice(["HUMAN", "LLM_JUDGE"])}
            name, value = draw.choice([("helpful", "true"), ("helpful", "false"), ("score", "0.25"), ("score", "0.75")])
            events.append(own(at=number, name=name, value=value, **about))
            changed = draw.random()
            if changed < 0.2:
                events.append(own(at=number + 0.5, TraceId=trace_id, id=f"a{number}", correction="true", value="false"))
            elif changed < 0.3:
                events.append(own(at=number + 0.5, TraceId=trace_id, id=f"a{number}", deleted="true"))
            elif changed < 0.5:
                over = {"id": f"o{number}", "overrides": f"a{number}", "source__type": "HUMAN"}
                events.append(own(at=number + 0.5, TraceId=trace_id, value="false", **over))
                if changed < 0.4:
                    taken_back = {"id": f"o{number}", "deleted": "true"}
                    events.append(own(at=number + 0.7, TraceId=trace_id, **taken_back))
            elif changed < 0.6:
                said_again = "0.9" if name == "score" else "true"
                events.append(own(at=number + 0.5, name=name, value=said_again, **about))
    columns = ["Timestamp", "TraceId", "SpanId", "ParentSpanId", "SpanName", "ServiceName", "SpanAttributes",
               "Duration", "StatusCode"]  # fmt: skip
    client.insert("otel_traces", rows, column_names=columns)
    Tables(client).insert(*events)


@pytest.fixture(scope="module")
def query(database: "Client") -> Query:
    """Reads that database."""
    return lambda sql, parameters: list(database.query(sql, parameters=dict(parameters)).named_results())


def _all(query: Query, filter_string: str, **more: Any) -> list[TraceSummary]:
    """Page after page."""
    found: list[TraceSummary] = []
    token = None
    while True:
        page = list_traces(query, filter_string=filter_string, page_token=token, **more)
        found += page.traces
        token = page.next_page_token
        if token is None:
            return found


def _exact(query: Query, filter_string: str, start: int = -END_OF_TIME, end: int = END_OF_TIME) -> list[str]:
    """The ids, found the long way."""
    asked = Asked(trace_conditions(parse_any(filter_string)), None, NEWEST_FIRST, 10_000, start, end, None)
    rows = sorted(find(query, asked), key=lambda row: (row["Began"], row["TraceId"]), reverse=True)
    return [row["TraceId"] for row in rows]


@pytest.mark.parametrize("filter_string", FILTERS)
def test_pages_together_are_what_the_search_finds(
    query: Query, filter_string: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the filter and however short the looks, the pages have each trace that fits once, the newest first."""
    monkeypatch.setattr(newest, "_FIRST_LOOK", 60)
    monkeypatch.setattr(newest, "_FIRST_PIECE", 7)
    monkeypatch.setattr(newest, "_FEW", 5)
    monkeypatch.setattr(newest, "_LONG", 60 * 10**9)
    filter_string = filter_string.replace("{later}", str((NOON_NS + 5000 * 10**9) // 10**6))
    found = _all(query, filter_string, max_results=90)
    assert [trace.trace_id for trace in found] == _exact(query, filter_string)


@pytest.mark.parametrize("filter_string", ["", "cost > 0.002", "feedback.helpful = false"])
def test_questions_asked_at_a_time_are_answered_alike(query: Query, filter_string: str) -> None:
    """In whatever order the parts of a page are read, it is the same page."""
    last_first = list_traces(
        query, filter_string=filter_string, together=lambda *calls: [call() for call in reversed(calls)][::-1]
    )
    assert last_first == list_traces(query, filter_string=filter_string)
    assert last_first.traces


def test_many_calls_cost_what_a_few_do(query: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    """What traces cost is the same where their calls are too many to be told one by one."""
    costs = {trace.trace_id: trace.cost_usd for trace in _all(query, "")}
    monkeypatch.setattr(summaries, "CALL_MOMENTS", 2)
    assert {trace.trace_id: trace.cost_usd for trace in _all(query, "")} == costs
    assert any(costs.values())


@pytest.mark.parametrize("filter_string", ["", "service = 'shop-1'", "cost > 0.001", "feedback.helpful = false"])
def test_a_time_is_when_a_trace_began(query: Query, filter_string: str) -> None:
    """From the start, before the end; spans that came later are counted with their trace."""
    start, end = NOON + timedelta(seconds=3000), NOON + timedelta(seconds=6000)
    found = _all(query, filter_string, start_time=start, end_time=end)
    ticks = [int(moment.timestamp()) * 10**9 for moment in (start, end)]
    assert [trace.trace_id for trace in found] == _exact(query, filter_string, *ticks)


def test_a_row_says_what_the_view_says(query: Query, database: "Client") -> None:
    """Names, sums and costs are those of genai_traces."""
    found = {trace.trace_id: trace for trace in _all(query, "")}
    rows = list(database.query("SELECT * FROM genai_traces").named_results())
    assert len(rows) == len(found) == TRACES
    for row in rows:
        trace = found[row["TraceId"]]
        assert (trace.name, trace.service, trace.complete, trace.spans, trace.errors, trace.calls) == (
            row["Name"], row["ServiceName"], row["Complete"], row["Spans"], row["Errors"], row["Calls"]
        )  # fmt: skip
        assert (list(trace.models), trace.input_tokens, trace.cost_usd) == (
            row["Models"], row["InputTokens"], row["CostUsd"]
        )  # fmt: skip
        assert (trace.session_id or "", trace.user_id or "") == (row["ConversationId"], row["UserId"])
        assert trace.duration_ns / 1e6 == row["DurationMs"]


def test_what_was_said_is_with_the_trace(query: Query, database: "Client") -> None:
    """The valid assessments, as the view has them."""
    wanted = database.query("SELECT TraceId, AssessmentIds, Values FROM trace_feedback").result_rows
    found = {
        trace.trace_id: ([said.assessment_id for said in trace.said], [said.value for said in trace.said])
        for trace in _all(query, "feedback.name LIKE '%'")
    }
    assert found == {trace_id: (list(ids), list(values)) for trace_id, ids, values in wanted}


def test_patience_ends_a_long_walk_where_it_is(query: Query) -> None:
    """What has been found by then is answered, and the next page goes on from there."""
    page = list_traces(query, filter_string="text ~ 'refund of'", max_results=300, patience=0)
    assert page.searched_to_ns is not None
    assert 0 < len(page.traces) < 300
    assert all(trace.start_ns >= page.searched_to_ns for trace in page.traces)
    rest = list_traces(query, filter_string="text ~ 'refund of'", max_results=400, page_token=page.next_page_token)
    together = [trace.trace_id for trace in (*page.traces, *rest.traces)]
    assert together == _exact(query, "text ~ 'refund of'")


def test_patience_does_not_wait_for_a_handful(query: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where too few were found to be worth a look at them, a walk ends when time is over."""
    monkeypatch.setattr(newest, "_FIRST_PIECE", 10_000)
    page = list_traces(query, filter_string="text ~ 'refund of'", max_results=400, patience=0)
    assert page.searched_to_ns is not None
    rest = list_traces(query, filter_string="text ~ 'refund of'", max_results=400, page_token=page.next_page_token)
    together = [trace.trace_id for trace in (*page.traces, *rest.traces)]
    assert together == _exact(query, "text ~ 'refund of'")


def test_words_are_found_with_and_without_the_index(query: Query, database: "Client") -> None:
    """The index of words changes how long it takes, and nothing else; off again, it is gone."""
    before = [trace.trace_id for trace in _all(query, "words ~ 'FUN refunds'")]
    apply_text_index(database, True)
    apply_text_index(database, True)
    database.command("OPTIMIZE TABLE otel_traces FINAL")
    assert [trace.trace_id for trace in _all(query, "words ~ 'FUN refunds'")] == before != []
    attribute = "span.attributes.note = 'fun, refunds'"
    indexed = [trace.trace_id for trace in _all(query, attribute, words_indexed=True)]
    assert indexed == _exact(query, attribute) != []
    explained = str(database.query(
        "EXPLAIN indexes = 1 SELECT TraceId FROM otel_traces "
        "WHERE hasAllTokens(lower(arrayStringConcat(mapValues(SpanAttributes), '\\n')), 'fun')"
    ).result_rows)  # fmt: skip
    assert "idx_words" in explained
    apply_text_index(database, False)
    indexes = "SELECT name FROM system.data_skipping_indices WHERE database = 'listed' AND name = 'idx_words'"
    assert database.query(indexes).result_rows == []


@pytest.mark.parametrize("filter_string", ["", "service = 'shop-1'", "status = 'ERROR'", "cost > 0.001", "tokens < 10"])
def test_histogram_counts_the_traces_of_the_list(query: Query, filter_string: str) -> None:
    """Each trace that has its root is in the bar of its beginning, with its error and whether a person was unhappy."""
    start, end = NOON, NOON + timedelta(seconds=10_800)
    bars = trace_histogram(query, filter_string=filter_string, start_time=start, end_time=end, buckets=36)
    assert [(bar.start_ns, bar.end_ns) for bar in bars] == [
        (NOON_NS + number * 300 * 10**9, NOON_NS + (number + 1) * 300 * 10**9) for number in range(36)
    ]
    listed = [trace for trace in _all(query, filter_string) if trace.complete]
    for bar in bars:
        inside = [trace for trace in listed if bar.start_ns <= trace.start_ns < bar.end_ns]
        unhappy = [trace for trace in inside if any(_is_negative(said) for said in trace.said)]
        errors = sum(trace.state == "ERROR" for trace in inside)
        assert (bar.traces, bar.errors, bar.negative) == (len(inside), errors, len(unhappy))


def _is_negative(said: Any) -> bool:
    return said.source_type == "HUMAN" and said.numeric_value is not None and said.numeric_value <= 0


def test_facets(query: Query, database: "Client") -> None:
    """Values that occur, the most frequent first."""
    found = trace_facets(query, start_time=NOON, end_time=NOON + timedelta(days=1))
    services = database.query("SELECT ServiceName, count() FROM otel_traces GROUP BY 1 ORDER BY 2 DESC, 1").result_rows
    assert list(found.services) == [tuple(row) for row in services]
    assert {model for model, _ in found.models} == {"big", "small"}
    assert {name for name, _ in found.feedback_names} == {"helpful", "score"}


@pytest.mark.parametrize("filter_string", ["", "service IN ('shop-1', 'it''s')", "cost > 0.002", "words ~ 'refund'"])
def test_explained_sql_finds_the_same(query: Query, database: "Client", filter_string: str) -> None:
    """The statement runs as it is written, and answers the list's traces."""
    sql = explain_traces(filter_string=filter_string, start_time=NOON, end_time=NOON + timedelta(days=1))
    found = {row["TraceId"] for row in database.query(sql).named_results()}
    assert found == {trace.trace_id for trace in list_traces(query, filter_string=filter_string).traces}


def test_wrong_token(query: Query) -> None:
    """A token of nothing is refused."""
    with pytest.raises(InvalidSearch, match="is not the next_page_token of a search"):
        list_traces(query, page_token="soon")


MESSAGES: Sequence[dict[str, Any]] = (
    {"role": "system", "parts": [{"type": "text", "content": "Be kind."}]},
    {"role": "user", "parts": [{"type": "text", "content": "How  often\nshould I descale?"}]},
    {"role": "assistant", "parts": [{"type": "tool_call", "name": "look_up", "arguments": {"q": "x"}}]},
)


@pytest.mark.parametrize(
    ("text", "role", "said"),
    [
        (json.dumps(MESSAGES), "user", "How often should I descale?"),
        (json.dumps(MESSAGES), "", 'look_up({"q": "x"})'),
        (json.dumps(MESSAGES)[-150:], "user", "How often should I descale?"),
        ('{"question": "How?"}', "user", "How?"),
        ('{"a": 1, "b": [2]}', "", '{"a": 1, "b": [2]}'),
        ('[{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]', "user", "Hi"),
        ("plain text", "", "plain text"),
        ('"So."', "", "So."),
        ('[{"role": "assistant", "parts": [{"type": "text", "content": ""}]}]', "", ""),
        ("null", "", ""),
        ("", "", ""),
        ("x" * 1000, "", "x" * (LONGEST - 1) + "…"),
        ("[" * 100_000, "", "[" * (LONGEST - 1) + "…"),
    ],
)
def test_preview_is_the_words(text: str, role: str, said: str) -> None:
    """Of messages the last one of a role, without the JSON, in one line of bounded length."""
    assert preview(text, role) == said
