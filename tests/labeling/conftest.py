"""What the tests of labeling share: a collector with keys, its tables, somebody at its API, and traces."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from hansei.collector.store import ServerStore
from hansei.feedback.web.reader import Reader
from hansei.feedback.web.tables import Tables, tables_of

# The tests are no package whose name could be written out.
from ..asking import KEY, Api  # noqa: TID252
from ..collector.otlp_clients import HttpClient  # noqa: TID252
from ..collector.processes import Serving  # noqa: TID252
from ..collector.waiting import until  # noqa: TID252
from ..tables import ADMIN_KEY  # noqa: TID252

START = 1_763_640_000_000_000_000
"""When the traces began: nanoseconds, 2025-11-20T12:00:00Z."""
SECOND = 1_000_000_000


@dataclass(frozen=True)
class Call:
    """A trace: one span that is a model call."""

    trace_id: str
    span_id: str
    service: str = "shop"
    model: str = "small"
    user: str = "ana"
    conversation: str = ""
    start: int = START
    seconds: float = 1.0
    tokens: int = 100


def call(**more: Any) -> Call:
    """One that was never sent."""
    return Call(uuid.uuid4().hex, uuid.uuid4().hex[:16], **more)


def send(serving: Serving, *calls: Call) -> list[str]:
    """Send traces and wait until they are stored; answers their ids."""
    request = ExportTraceServiceRequest()
    for each in calls:
        of_resource = request.resource_spans.add()
        of_resource.resource.attributes.append(_text("service.name", each.service))
        of_resource.scope_spans.add().spans.add(
            trace_id=bytes.fromhex(each.trace_id), span_id=bytes.fromhex(each.span_id), name="chat", kind=3,
            start_time_unix_nano=each.start, end_time_unix_nano=each.start + round(each.seconds * SECOND),
            attributes=[
                _text("gen_ai.operation.name", "chat"),
                _text("gen_ai.provider.name", "openai"),
                _text("gen_ai.request.model", each.model),
                KeyValue(key="gen_ai.usage.input_tokens", value=AnyValue(int_value=each.tokens)),
                _text("user.id", each.user),
                _text("gen_ai.conversation.id", each.conversation),
            ],
        )  # fmt: skip
    client = HttpClient(serving.http)
    assert client.export(request.SerializeToString(), key=f"Bearer {KEY}").code == "OK"
    client.close()
    serving.wait_stored()
    return [each.trace_id for each in calls]


def _text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A collector that every test uses; none may stop it."""
    running = Serving(
        tmp_path_factory.mktemp("labeling") / "data",
        "--segment-age=30ms",
        HANSEI_API_KEY=KEY,
        HANSEI_ADMIN_KEY=ADMIN_KEY,
    )
    yield running
    said = running.errors()
    running.close()
    assert said == ""


@pytest.fixture(scope="session")
def api(serving: Serving) -> Api:
    """Somebody with the key."""
    return Api(serving)


@pytest.fixture(scope="session")
def store(serving: Serving) -> Iterator[Tables]:
    """Labeling over the tables of the collector, as a server in front of a ClickHouse server has it."""
    tables = ServerStore(f"http://default:{ADMIN_KEY}@{serving.sql}/default")
    yield tables_of(tables, Reader(tables).query)
    tables.close()


@pytest.fixture
def python(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of somebody who uses the Python API."""
    monkeypatch.setenv("HANSEI_URL", serving.ui)
    monkeypatch.setenv("HANSEI_API_KEY", KEY)


@pytest.fixture
def name() -> str:
    """One that was never used."""
    return f"n-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def question(api: Api) -> str:
    """The name of a label schema."""
    made = f"q-{uuid.uuid4().hex[:12]}"
    api.done("POST", "/label-schemas", {"name": made, "type": "feedback", "input": PASS_FAIL, "title": "Right?"})
    return made


PASS_FAIL = {"type": "pass_fail", "positive_label": "Pass", "negative_label": "Fail"}

__all__ = ["KEY", "Api", "Call", "call", "send", "until"]
