"""What the tests of the review app share: a collector in a process of its own, and sessions for experts.

``work(...)`` makes a session over new traces and answers the reviewers' links.
"""

import itertools
import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

# The tests are no package whose name could be written out.
from ..collector.processes import Serving  # noqa: TID252
from ..collector.waiting import until  # noqa: TID252
from ..tables import ADMIN_KEY, sql_client  # noqa: TID252
from ..visiting import Visit, watch  # noqa: TID252

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_numbers = itertools.count(1)

HELPFUL = {"type": "pass_fail", "positive_label": "Helpful", "negative_label": "Not helpful"}
TONE = {"type": "categorical", "options": ["warm", "neutral", "cold"]}
FAULTS = {"type": "categorical_list", "options": ["made up", "incomplete", "off topic", "rude"]}
SCORE = {"type": "numeric", "min_value": 0, "max_value": 10}
BETTER = {"type": "text", "max_length": 500}
FACTS = {"type": "text_list", "max_length_each": 200, "max_count": 4}


@dataclass(frozen=True)
class Answered:
    """An answer of the pages' port."""

    status: int
    text: str
    headers: dict[str, str]
    url: str = ""

    def json(self) -> Any:
        """The body."""
        return json.loads(self.text)


def ask(url: str, body: Any = None, method: str = "", **headers: str) -> Answered:
    """A request; redirections are followed."""
    data = None if body is None else json.dumps(body).encode()
    given = {"Content-Type": "application/json"} if data is not None else {}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data, given | named, method=method or ("POST" if data is not None else "GET"))
    try:
        with urllib.request.urlopen(request) as answer:
            return Answered(answer.status, answer.read().decode(), dict(answer.headers), answer.url)
    except urllib.error.HTTPError as error:
        with error:
            return Answered(error.code, error.read().decode(), dict(error.headers), url)


@dataclass(frozen=True)
class Work:
    """A labeling session that is asked for in a test."""

    serving: Serving
    session_id: str
    links: dict[str, str]
    """Paths, by reviewer."""
    traces: list[str]

    def api(self, path: str = "", body: Any = None, method: str = "") -> Answered:
        """Ask the API about the session."""
        return ask(f"{self.serving.ui}/api/v1/labeling-sessions/{self.session_id}{path}", body, method,
                   Authorization=f"Bearer {ADMIN_KEY}")  # fmt: skip

    def labels(self, client: "Client") -> list[tuple[str, str, str, Any]]:
        """What is in the ledger: trace, reviewer, name and value, once all of it can be read."""
        rows = client.query(
            "SELECT TraceId, SourceId, Name, Value, Rationale FROM feedback WHERE LabelingSessionId = {id:String} "
            "ORDER BY TraceId, SourceId, Name", {"id": self.session_id},
        ).result_rows  # fmt: skip
        return [(str(trace), str(who), str(name), json.loads(value)) for trace, who, name, value, _ in rows]

    def wait_for_labels(self, client: "Client", count: int) -> list[tuple[str, str, str, Any]]:
        """The same, once there are so many."""
        until(lambda: len(self.labels(client)) >= count, f"{count} labels")
        return self.labels(client)


def question_span(index: int, **attributes: str) -> dict[str, str]:
    """Attributes of a model call in a trace."""
    asked = f"How often should machine {index} be descaled?"
    told = f"Every **two months** with soft water. This is answer {index}."
    return {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "review-model",
        "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": asked}]}]),
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [
            {"type": "reasoning", "content": f"Think of machine {index}."}, {"type": "text", "content": told}]}]),
        **attributes,
    }  # fmt: skip


SPAN_COLUMNS = ["Timestamp", "TraceId", "SpanId", "ParentSpanId", "SpanName", "ServiceName", "SpanAttributes",
                "Duration"]  # fmt: skip


def insert_traces(client: "Client", traces: Sequence[Sequence[dict[str, str]]], name: str = "answer") -> list[str]:
    """Insert traces, each of the attributes of its spans, the root first. Answers their ids."""
    now, rows, ids = time.time_ns() - 3600 * 10**9, [], []
    for place, spans in enumerate(traces):
        ids.append(uuid.uuid4().hex)
        root = uuid.uuid4().hex[:16]
        for index, attributes in enumerate(spans):
            span_id, parent = (uuid.uuid4().hex[:16], root) if index else (root, "")
            at = now + place * 10**9 + index * 10**7
            rows.append([at, ids[-1], span_id, parent, attributes.pop("name", name), "review", attributes, 10**9])
    client.insert("otel_traces", rows, column_names=SPAN_COLUMNS)
    return ids


def make_work(
    serving: Serving,
    client: "Client",
    questions: dict[str, dict[str, Any]],
    *,
    traces: int | Sequence[str] = 3,
    people: Sequence[str] = ("ana@example.com",),
    titles: dict[str, str] | None = None,
    sessions: Sequence[str] = (),
    **settings: Any,
) -> Work:
    """A labeling session. ``questions``: the input of each, by the name that it gets a number to."""
    number = next(_numbers)
    key = {"Authorization": f"Bearer {ADMIN_KEY}"}
    names = []
    for name, asked in questions.items():
        names.append(f"{name}_{number}")
        made = ask(f"{serving.ui}/api/v1/label-schemas", {
            "name": names[-1], "type": "feedback", "input": asked, "title": (titles or {}).get(name, f"About {name}"),
            "enable_comment": asked["type"] == "pass_fail", "instruction": f"Say how {name} it is.",
        }, **key)  # fmt: skip
        assert made.status == 201, made.text
    body = {"name": f"Support answers {number}", "label_schemas": names, "assigned_users": list(people),
            "settings": settings}  # fmt: skip
    made = ask(f"{serving.ui}/api/v1/labeling-sessions", body, **key)
    assert made.status == 201, made.text
    ids = insert_traces(client, [[question_span(index)] for index in range(traces)]) if isinstance(traces, int) else (
        list(traces))  # fmt: skip
    work = Work(serving, made.json()["session_id"], made.json()["links"], ids)
    added = work.api("/items", {"session_ids": list(sessions)} if sessions else {"trace_ids": ids})
    assert added.status == 200, added.text
    return work


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A collector that every test uses; none may stop it."""
    running = Serving(tmp_path_factory.mktemp("review") / "data", "--segment-age=30ms", HANSEI_ADMIN_KEY=ADMIN_KEY)
    yield running
    running.close()


@pytest.fixture(scope="session")
def client(serving: Serving) -> Iterator["Client"]:
    """Its tables."""
    with sql_client(serving) as opened:
        yield opened


@pytest.fixture
def work(serving: Serving, client: "Client") -> Callable[..., Work]:
    """``work({"helpful": HELPFUL}, traces=3)``: a session."""

    def make(questions: dict[str, dict[str, Any]], **more: Any) -> Work:
        return make_work(serving, client, questions, **more)

    return make


__all__ = ["ADMIN_KEY", "Visit", "Work", "ask", "sql_client", "until", "watch"]
