"""GenAI spans of about 2 KB, as an instrumented chat service sends them, for every benchmark."""

import json
import random
import time

import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue

SPANS_PER_REQUEST = 512
SPANS_PER_TRACE = 4
MODELS = ("gpt-4o-mini", "gpt-4o", "gpt-4.1", "o4-mini", "gpt-4.1-mini")


class Payloads:
    """Requests with ids, texts and numbers drawn from a seed: the same seed makes the same bytes but for the time."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)
        self._words = self._vocabulary(6000)
        self._instructions = [self._text(240) for _ in range(4)]

    def request(self, spans: int = SPANS_PER_REQUEST) -> bytes:
        """One serialised request."""
        draw = self._random
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        instructions = draw.choice(self._instructions)
        resource.resource.attributes.extend(
            [
                _pair("service.name", f"chat-{draw.randint(0, 3)}"),
                _pair("service.instance.id", f"{draw.getrandbits(128):032x}"),
                _pair("telemetry.sdk.language", "python"),
                _pair("telemetry.sdk.name", "opentelemetry"),
                _pair("telemetry.sdk.version", "1.45.2"),
            ]
        )
        scope = resource.scope_spans.add()
        scope.scope.name, scope.scope.version = "opentelemetry.instrumentation.genai.openai", "1.3b0"
        started = time.time_ns()
        for number in range(spans):
            if number % SPANS_PER_TRACE == 0:
                trace_id, root = draw.randbytes(16), b""
                conversation = f"conv-{draw.getrandbits(48):012x}"
            span = scope.spans.add(trace_id=trace_id, span_id=draw.randbytes(8), parent_span_id=root, kind=3)
            root = root or span.span_id
            model = draw.choice(MODELS)
            span.name = f"chat {model}"
            span.start_time_unix_nano = started + number * 1000
            span.end_time_unix_nano = span.start_time_unix_nano + draw.randint(2 * 10**8, 4 * 10**9)
            tokens = draw.randint(100, 3000)
            span.attributes.extend(
                [
                    _pair("gen_ai.operation.name", "chat"),
                    _pair("gen_ai.provider.name", "openai"),
                    _pair("gen_ai.request.model", model),
                    _pair("gen_ai.request.temperature", 0.7),
                    _pair("gen_ai.request.max_tokens", 1024),
                    _pair("gen_ai.response.model", f"{model}-2025-04-14"),
                    _pair("gen_ai.response.id", f"chatcmpl-{draw.getrandbits(96):024x}"),
                    _pair("gen_ai.response.finish_reasons", ["stop"]),
                    _pair("gen_ai.usage.input_tokens", tokens),
                    _pair("gen_ai.usage.output_tokens", draw.randint(10, 800)),
                    _pair("gen_ai.usage.cache_read.input_tokens", tokens // 3),
                    _pair("gen_ai.conversation.id", conversation),
                    _pair("user.id", f"user-{draw.randint(0, 5000)}"),
                    _pair("server.address", "api.openai.com"),
                    _pair("server.port", 443),
                    _pair("gen_ai.input.messages", _messages(system=instructions, user=self._text(300))),
                    _pair("gen_ai.output.messages", _messages(assistant=self._text(440))),
                ]
            )
        return request.SerializeToString()

    def _text(self, size: int) -> str:
        words: list[str] = []
        while (size := size - len(words[-1]) - 1 if words else size) > 0:
            words.append(self._random.choice(self._words))
        return " ".join(words)

    def _vocabulary(self, size: int) -> list[str]:
        """Made-up words, the frequent ones short and many times in the list, as in a language (Zipf)."""
        draw = self._random
        words = []
        for rank in range(1, size):
            syllables = 1 + rank.bit_length() // 4
            word = "".join(draw.choice("bcdfghklmnprstvw") + draw.choice("aeiou") for _ in range(syllables))
            words += [word] * max(1, size // (8 * rank))
        return words


def _messages(**parts: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]} for role, text in parts.items()])


def _pair(key: str, value: str | int | float | list[str]) -> KeyValue:
    if isinstance(value, str):
        return KeyValue(key=key, value=AnyValue(string_value=value))
    if isinstance(value, int):
        return KeyValue(key=key, value=AnyValue(int_value=value))
    if isinstance(value, float):
        return KeyValue(key=key, value=AnyValue(double_value=value))
    return KeyValue(key=key, value=AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=v) for v in value])))


class Fresh:
    """One request, sent many times with other ids and times each time, at the cost of a copy.

    All ids are XORed with the same random bytes, so that parents still point to their parents. For one thread
    at a time.
    """

    def __init__(self, payload: bytes) -> None:
        self._bytes = np.frombuffer(payload, np.uint8).copy()
        places, times = [], []
        position = 0
        for resource in ExportTraceServiceRequest.FromString(payload).resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    for known in filter(None, (span.trace_id, span.span_id, span.parent_span_id)):
                        position = payload.index(known, position)
                        places.append(np.arange(position, position + len(known)))
                        position += len(known)
                    for known_time in (span.start_time_unix_nano, span.end_time_unix_nano):
                        position = payload.index(known_time.to_bytes(8, "little"), position)
                        times.append(np.arange(position, position + 8))
                        position += 8
        self._places = np.concatenate(places)
        self._times = np.concatenate(times)
        self._made = time.time_ns()
        self._random = np.random.default_rng()

    def next(self) -> bytes:
        """The request as if made now, with ids never used before."""
        mask = np.tile(self._random.integers(0, 256, 8, np.uint8), len(self._places) // 8)
        self._bytes[self._places] ^= mask
        # Times move on, or rows with the same text would lie, and be compressed, side by side.
        now = time.time_ns()
        times = self._bytes[self._times].view(np.uint64) + np.uint64(now - self._made)
        self._bytes[self._times] = times.view(np.uint8)
        self._made = now
        return self._bytes.tobytes()
