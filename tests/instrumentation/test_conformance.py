"""The spans, events and metrics of every operation, held against the published conventions."""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import pytest
from openai import BadRequestError
from opentelemetry.sdk.metrics.export import Metric
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from hansei.instrumentation import session
from hansei.instrumentation.content import Content
from hansei.instrumentation.operations import routes

from . import recorded, registry, replay
from .recorded import GRAMMAR_CALL, WEATHER_CALL, chat, choice, error
from .replay import Api, Recording, Reply, call

listening = replay.listening

PNG, WAV = ("a.png", b"\x89PNG", "image/png"), ("a.wav", b"RIFF", "audio/wav")
MESSAGES: list[Any] = [
    {"role": "system", "content": "Be brief."},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "What?"},
            {"type": "image_url", "image_url": {"url": "https://images.example/1.png"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
            {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
            {"type": "file", "file": {"file_id": "file-1"}},
        ],
    },
    {"role": "assistant", "content": None, "tool_calls": [WEATHER_CALL, GRAMMAR_CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "57°F"},
]
ITEMS: list[Any] = [
    {"role": "user", "content": [{"type": "input_text", "text": "What?"}]},
    {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "call_1", "output": "57°F"},
    {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]},
    {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "Kumo"}},
    {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"},
]
TOOLS: list[Any] = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]
SETTINGS: dict[str, Any] = {
    "reasoning_effort": "low",
    "service_tier": "flex",
    "temperature": 1,
    "top_p": 1,
    "max_tokens": 9,
    "seed": 1,
    "n": 2,
    "stop": "END",
    "frequency_penalty": 1,
    "presence_penalty": 1,
    "extra_body": {"top_k": 40},
}
FULL_CHAT = Reply.json(
    chat(
        choices=[choice(content="Yes.", refusal="No.", tool_calls=[WEATHER_CALL, GRAMMAR_CALL])],
        usage={**recorded.FULL_USAGE, "prompt_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 2}},
    ),
    x_request_id="req_1",
)
RETRIED = Reply.json(error("No."), 500, retry_after_ms="1")

CALLS: list[tuple[str, dict[str, Any], tuple[Reply, ...]]] = [
    (
        "chat.completions.create",
        {"model": "m", "messages": MESSAGES, "tools": TOOLS, **SETTINGS},
        (RETRIED, FULL_CHAT),
    ),
    ("chat.completions.create", {"model": "m", "messages": MESSAGES, "stream": True}, ()),
    ("chat.completions.create", {"model": "m", "messages": MESSAGES}, (Reply.json(error("No."), 400),)),
    (
        "responses.create",
        {"model": "m", "input": ITEMS, "instructions": "Be brief.", "previous_response_id": "resp_0",
         "tools": [{"type": "web_search"}], "text": {"format": {"type": "json_object"}}},
        (),
    ),
    ("responses.create", {"model": "m", "input": "What?", "stream": True}, ()),
    ("responses.create", {"model": "m", "input": "What?", "stream": True}, (Reply.events(recorded.begun()),)),
    ("responses.retrieve", {"response_id": "resp_1"}, ()),
    ("responses.retrieve", {"response_id": "resp_1", "stream": True, "starting_after": 3}, ()),
    ("responses.cancel", {"response_id": "resp_1"}, ()),
    ("responses.compact", {"model": "m", "input": "What?"}, ()),
    ("completions.create", {"model": "m", "prompt": "What?"}, ()),
    ("completions.create", {"model": "m", "prompt": "What?", "stream": True}, ()),
    ("embeddings.create", {"model": "m", "input": "What?", "encoding_format": "float", "dimensions": 3}, ()),
    ("images.generate", {"model": "m", "prompt": "A cup"}, ()),
    ("images.generate", {"model": "m", "prompt": "A cup", "stream": True}, ()),
    ("images.edit", {"model": "m", "prompt": "A cup", "image": PNG}, ()),
    ("images.create_variation", {"model": "m", "image": PNG}, ()),
    ("audio.speech.create", {"model": "m", "voice": "alloy", "input": "Hello."}, ()),
    ("audio.transcriptions.create", {"model": "m", "file": WAV}, ()),
    ("audio.transcriptions.create", {"model": "m", "file": WAV, "stream": True}, ()),
    ("audio.translations.create", {"model": "m", "file": WAV}, ()),
    ("moderations.create", {"model": "m", "input": ["Hm."]}, ()),
    ("vector_stores.search", {"vector_store_id": "vs_1", "query": "What?", "max_num_results": 3}, ()),
    ("beta.threads.runs.create", {"thread_id": "thread_1", "assistant_id": "asst_1", "instructions": "Be brief."}, ()),
    ("beta.threads.create_and_run", {"assistant_id": "asst_1", "stream": True}, ()),
    ("conversations.create", {"items": ITEMS[:1]}, ()),
    ("conversations.items.list", {"conversation_id": "conv_1"}, ()),
    ("batches.retrieve", {"batch_id": "batch_1"}, ()),
]  # fmt: skip
"""Calls of every operation: the method, its arguments, and what is answered if it is not what is recorded."""

EXEMPT = {
    "hansei.stream.outcome": "the conventions do not tell how a stream ended",
    "hansei.retry.delay": "nor how long a client waited before it sent a request again",
    "gen_ai.token.type": "the dimension of the deployed metric, which the conventions have given up",
}
"""Attribute names that the registry does not have, and why they are written."""
EXEMPT_VALUES = {
    ("gen_ai.operation.name", "moderation"): "no operation of the conventions judges an input",
    ("gen_ai.operation.name", "cancel_response"): "none ends a response in the background",
    ("openai.api.type", "completions"): "the API before chat has no well-known type",
    ("openai.api.type", "assistants"): "nor has that of assistants",
}
"""Values that are not well known, and why they are written."""
EXEMPT_METRICS = {
    "gen_ai.client.token.usage": "deployed; its successors have other names",
    "gen_ai.client.operation.time_to_first_chunk": "deployed; its successor has another name",
    "gen_ai.client.inference.usage.input_tokens": "a counter by modality in the conventions of October 2026",
    "gen_ai.client.inference.usage.output_tokens": "the same",
}
"""Metrics that the conventions do not have in this form, and why they are recorded."""


class Telemetry(NamedTuple):
    """What all the calls left."""

    spans: tuple[ReadableSpan, ...]
    events: list[tuple[str | None, Mapping[str, Any]]]
    metrics: dict[str, Metric]

    def attribute_sets(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Attributes of spans, of their events and of log events, with a name for each."""
        for span in self.spans:
            yield span.name, span.attributes or {}
            for event in span.events:
                yield f"{span.name}: {event.name}", event.attributes or {}
        for name, attributes in self.events:
            yield str(name), attributes


@pytest.fixture(scope="module")
def telemetry(listening: Callable[[], Api]) -> Telemetry:
    """Every operation called once or more, with everything recorded."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        # Some methods of the client are on their way out.
        warnings.simplefilter("ignore", DeprecationWarning)
        patch.setenv("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", "logs/dup")
        return _everything(listening)


def _everything(listening: Callable[[], Api]) -> Telemetry:
    with Recording().on(Content(on_spans=True, on_events=True)) as recording:
        for method, arguments, replies in CALLS:
            api = listening()
            api.answer(*replies)
            with session("s-1", user="ana"), suppress(BadRequestError):
                call(api, method, retries=1, **arguments)
        events = [(event.log_record.event_name, event.log_record.attributes or {}) for event in recording.events()]
        return Telemetry(recording.spans(), events, recording.metrics())


def operation(attributes: Mapping[str, Any]) -> str:
    """The name of the operation; empty for a general request."""
    return str(attributes.get("gen_ai.operation.name", ""))


def test_every_operation_is_called(telemetry: Telemetry) -> None:
    """No route is left out of this file."""
    names = {route.name for _, _, route in routes._ROUTES} | {None}
    assert {operation(span.attributes or {}) or None for span in telemetry.spans} == names
    assert len(telemetry.spans) == len(CALLS)


def test_names_and_types(telemetry: Telemetry) -> None:
    """Every attribute is in the registry, or exempt, and has the registry's type."""
    problems = []
    for source, attributes in telemetry.attribute_sets():
        for name, value in attributes.items():
            if name in registry.ATTRIBUTES:
                problems += [f"{source}: {problem}" for problem in registry.problems_with_type(name, value)]
            elif name not in EXEMPT and not name.startswith("exception."):
                problems.append(f"{source}: {name} is not in the registry")
    assert problems == []


def test_requirement_levels(telemetry: Telemetry) -> None:
    """Required and conditionally required attributes are there; recommended ones where the answer has them."""
    problems = []
    for span in telemetry.spans:
        found = span.attributes or {}
        wanted = ["gen_ai.provider.name", "server.address", "server.port", *registry.REQUIRED.get(operation(found), ())]
        if span.status.status_code is StatusCode.ERROR:
            wanted.append("error.type")
        elif "http.response.header.x-request-id" in found:
            wanted += registry.RECOMMENDED.get(operation(found), ())
        if "hansei.stream.outcome" in found:
            wanted += ["gen_ai.request.stream", "gen_ai.response.time_to_first_chunk"]
        problems += [f"{span.name}: {name} is missing" for name in wanted if name not in found]
        forbidden = registry.FORBIDDEN.get(operation(found), ())
        problems += [f"{span.name}: {name} is forbidden" for name in found if name.startswith(forbidden or "\0")]
    assert problems == []


def test_span_names_and_kinds(telemetry: Telemetry) -> None:
    """Spans are of clients, and named by operation and target, or by method and path template."""
    for span in telemetry.spans:
        found = span.attributes or {}
        assert span.kind is SpanKind.CLIENT
        if (name := operation(found)) in registry.SPAN_TARGETS:
            target = found.get(registry.SPAN_TARGETS[name] or "")
            assert span.name == (f"{name} {target}" if target else name)
        elif not name:
            assert span.name.split() == [found["http.request.method"], found["url.template"]]


def test_well_known_values(telemetry: Telemetry) -> None:
    """Values are well known, or exempt."""
    problems = []
    for source, attributes in telemetry.attribute_sets():
        for name, known in registry.VALUES.items():
            value = attributes.get(name)
            if value is not None and value not in known and (name, value) not in EXEMPT_VALUES:
                problems.append(f"{source}: {name} is {value!r}")
    assert problems == []


@pytest.mark.parametrize("where", ["spans", "events"])
def test_messages_follow_their_schema(telemetry: Telemetry, where: str) -> None:
    """Messages have roles and parts, parts their fields; on spans as JSON text, on events as values."""
    if where == "spans":
        sets = [
            {name: json.loads(str(value)) for name, value in (span.attributes or {}).items() if _structured(name)}
            for span in telemetry.spans
        ]
    else:
        sets = [{name: value for name, value in found.items() if _structured(name)} for _, found in telemetry.events]
    problems = []
    seen: set[str] = set()
    for found in sets:
        seen |= found.keys()
        for name in ("gen_ai.input.messages", "gen_ai.output.messages"):
            if name in found:
                problems += registry.problems_with_messages(found[name], output="output" in name)
        for part in found.get("gen_ai.system_instructions", ()):
            problems += registry.problems_with_part(part)
        for tool in found.get("gen_ai.tool.definitions", ()):
            if not (isinstance(tool.get("type"), str) and isinstance(tool.get("name"), str)):
                problems.append(f"{tool!r} has no type or no name")
        for document in found.get("gen_ai.retrieval.documents", ()):
            if not (isinstance(document["id"], str) and isinstance(document["score"], float)):
                problems.append(f"{document!r} has no id or no score")
    assert problems == []
    assert {name for name, kind in registry.ATTRIBUTES.items() if kind == registry.ANY} == seen


def _structured(name: str) -> bool:
    return registry.ATTRIBUTES.get(name) == registry.ANY


def test_events(telemetry: Telemetry) -> None:
    """Each call of an operation has one event with its details, each failure one with its exception."""
    names = [name for name, _ in telemetry.events]
    called = [span for span in telemetry.spans if operation(span.attributes or {})]
    assert names.count("gen_ai.client.inference.operation.details") == len(called)
    assert names.count("gen_ai.client.operation.exception") == 1
    assert set(names) == {"gen_ai.client.inference.operation.details", "gen_ai.client.operation.exception"}


def test_metrics(telemetry: Telemetry) -> None:
    """Names, units and dimensions are the registry's, or exempt."""
    problems = []
    for name, metric in telemetry.metrics.items():
        if name not in registry.METRICS:
            problems += [] if name in EXEMPT_METRICS else [f"{name} is not in the registry"]
            continue
        unit, required, allowed = registry.METRICS[name]
        assert metric.unit == unit
        for point in metric.data.data_points:
            dimensions = set(point.attributes or {})
            problems += [f"{name}: {missing} is missing" for missing in set(required) - dimensions]
            problems += [f"{name}: {more} is too much" for more in dimensions - {*required, *allowed}]
    assert problems == []


def test_exemptions_still_apply(telemetry: Telemetry) -> None:
    """What the registry has by now, or nothing writes any more, is no exemption."""
    sets = [attributes for _, attributes in telemetry.attribute_sets()]
    sets += [point.attributes or {} for metric in telemetry.metrics.values() for point in metric.data.data_points]
    used = {name for attributes in sets for name in attributes}
    values = {(name, attributes[name]) for attributes in sets for name in registry.VALUES if name in attributes}
    assert [name for name in EXEMPT if name in registry.ATTRIBUTES or name not in used] == []
    assert [pair for pair in EXEMPT_VALUES if pair[1] in registry.VALUES[pair[0]] or pair not in values] == []
    assert [name for name in EXEMPT_METRICS if name in registry.METRICS or name not in telemetry.metrics] == []
