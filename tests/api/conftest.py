"""What the tests of the API share: a collector with a key, somebody who asks it, and some traces."""

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

# The tests are no package whose name could be written out.
from ..asking import KEY, Api  # noqa: TID252
from ..collector import conftest  # noqa: TID252
from ..collector.otlp_clients import HttpClient  # noqa: TID252
from ..collector.processes import Serving  # noqa: TID252
from ..tables import ADMIN_KEY  # noqa: TID252

serve = conftest.serve
START = 1_763_640_000_000_000_000
"""When the traces began: nanoseconds, 2025-11-20T12:00:00Z."""


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


__all__ = ["ADMIN_KEY", "KEY", "Api", "Told", "uuid7"]
