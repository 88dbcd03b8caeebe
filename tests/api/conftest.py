"""What the tests of the API share: a collector with a key, somebody who asks it, and some traces."""

import http.client
import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

# The tests are no package whose name could be written out.
from ..collector import conftest  # noqa: TID252
from ..collector.otlp_clients import HttpClient  # noqa: TID252
from ..collector.processes import Serving  # noqa: TID252
from ..collector.waiting import PATIENCE  # noqa: TID252

serve = conftest.serve
KEY = "open-sesame"
ADMIN_KEY = "sesame"
START = 1_763_640_000_000_000_000
"""When the traces began: nanoseconds, 2025-11-20T12:00:00Z."""


@dataclass(frozen=True)
class Reply:
    """An answer."""

    status: int
    headers: dict[str, str]
    """By names in lower case."""
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Api:
    """Somebody at the API."""

    def __init__(self, serving: Serving, key: str | None = KEY) -> None:
        self.serving = serving
        self.key = key

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """One request on a connection of its own; bytes are sent as they are, anything else as JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key:
            sent.setdefault("Authorization", f"Bearer {self.key}")
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        parts = urlsplit(self.serving.ui)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
        try:
            data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            connection.request(method, f"/api/v1{path}", data, sent)
            answer = connection.getresponse()
            return Reply(
                answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
            )
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        return self.ask("GET", path, **headers)

    def post(self, body: Any, path: str = "/assessments", **headers: str) -> Reply:
        return self.ask("POST", path, body, **headers)

    def items(self, path: str) -> Any:
        """The items of a list, which must be there."""
        reply = self.get(path)
        assert reply.status == 200, reply.text
        return reply.json["items"]

    def history(self, trace_id: str, assessment_id: str) -> list[dict[str, Any]]:
        """The events of an assessment."""
        found: list[dict[str, Any]] = self.items(f"/assessments/{assessment_id}/history?trace_id={trace_id}")
        return found


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A collector that every test uses; none may stop it."""
    running = Serving(
        tmp_path_factory.mktemp("api") / "data", "--segment-age=30ms", HANSEI_API_KEY=KEY, HANSEI_ADMIN_KEY=ADMIN_KEY
    )
    yield running
    said = running.errors()
    running.close()
    assert said == ""


@pytest.fixture(scope="session")
def api(serving: Serving) -> Api:
    """Somebody with the key."""
    return Api(serving)


@pytest.fixture
def trace_id() -> str:
    """One that was never used."""
    return uuid.uuid4().hex


def uuid7(milliseconds: int | None = None) -> str:
    """A UUIDv7 of now, or of a moment."""
    now = time.time_ns() // 1_000_000 if milliseconds is None else milliseconds
    number = now << 80 | uuid.uuid4().int & (1 << 80) - 1
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=number))


@dataclass(frozen=True)
class Told:
    """Three traces of one session, a second apart; the last failed. Each is a root and a model call."""

    trace_ids: list[str]
    span_ids: list[str]
    session_id: str


@pytest.fixture(scope="session")
def told(serving: Serving) -> Told:
    """Traces that are stored."""
    made = Told([uuid.uuid4().hex for _ in range(3)], [uuid.uuid4().hex[:16] for _ in range(3)], uuid.uuid4().hex)
    request = ExportTraceServiceRequest()
    of_resource = request.resource_spans.add()
    of_resource.resource.attributes.append(_text("service.name", "shop"))
    spans = of_resource.scope_spans.add().spans
    for number, (trace_id, span_id) in enumerate(zip(made.trace_ids, made.span_ids, strict=True)):
        began = START + number * 1_000_000_000
        root = spans.add(
            trace_id=bytes.fromhex(trace_id), span_id=bytes.fromhex(span_id), name="answer",
            start_time_unix_nano=began, end_time_unix_nano=began + 250_000_000,
            attributes=[_text("gen_ai.conversation.id", made.session_id), _text("user.id", "ana")],
        )  # fmt: skip
        if number == 2:
            root.status.code = 2
        spans.add(
            trace_id=bytes.fromhex(trace_id), span_id=b"\1" + bytes.fromhex(span_id)[1:],
            parent_span_id=bytes.fromhex(span_id), name="chat gpt-4o-mini", kind=3,
            start_time_unix_nano=began + 1_000_000, end_time_unix_nano=began + 200_000_000,
            attributes=[
                _text("gen_ai.operation.name", "chat"),
                _text("gen_ai.provider.name", "openai"),
                _text("gen_ai.request.model", "gpt-4o-mini"),
                KeyValue(key="gen_ai.usage.input_tokens", value=AnyValue(int_value=1000)),
                KeyValue(key="gen_ai.usage.output_tokens", value=AnyValue(int_value=200)),
                _text("gen_ai.conversation.id", made.session_id),
            ],
        )  # fmt: skip
    client = HttpClient(serving.http)
    assert client.export(request.SerializeToString(), key=f"Bearer {KEY}").code == "OK"
    client.close()
    serving.wait_stored()
    return made


def _text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))
