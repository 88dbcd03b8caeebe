"""A day of the support assistant, told afterwards: what chat.py would have left behind, with 120 customers.

    hansei serve &
    python docs/examples/traffic.py

The times are the last 24 hours, through OpenTelemetry's own SDK; questions, documents and answers are those of the
manual. The day is told back from its end, so that it looks the same at any hour: busiest four hours before, quiet
sixteen hours before, and with an hour in which the model's provider was in trouble. One seed is always the same day.
"""

import argparse
import json
import math
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import japanese_manual
import visitors
from documents import Found, search
from model_server import MODELS, NO_ANSWER, complete
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, set_span_in_context
from prompts import INSTRUCTIONS
from questions import JAPANESE_THREADS, THREADS, UNKNOWN, is_japanese

SECOND = 10**9
HOUR = 3600 * SECOND
CONVERSATIONS = 400
INCIDENT = (5.5, 4.5)
"""Hours before the end: from, and to."""
ANSWER_SECONDS = {"gpt-4o-mini": 0.9, "gpt-4.1-mini": 1.0, "gpt-4o": 1.5, "gpt-4.1": 2.1}
"""The median of a model."""
FAILURES = (
    ("openai.InternalServerError", "Error code: 500 - The server had an error while processing your request."),
    ("openai.RateLimitError", "Error code: 429 - Rate limit reached for requests. Try again in 2s."),
    ("openai.APITimeoutError", "Request timed out."),
)
NAMES = (
    "akiko", "alba", "arne", "astrid", "bea", "carla", "chen", "daiki", "dana", "david", "elif", "emma", "farid",
    "femke", "gael", "greta", "hana", "hugo", "ida", "ines", "jun", "kaito", "kofi", "lena", "leo", "maya", "mika",
    "nadia", "noah", "nuno", "olga", "omar", "paula", "rin", "sara", "sven", "tara", "tomo", "yuki", "zoe",
)  # fmt: skip
USERS = [name + suffix for suffix in ("", "-k", "-m") for name in NAMES]


@dataclass(frozen=True, slots=True)
class Turn:
    """A question, what was done about it, and when."""

    service: str
    user: str
    conversation: str
    """Empty for the search on the website, where every question stands alone."""
    model: str
    question: str
    history: tuple[tuple[str, str], ...]
    """The questions and answers before it."""
    found: tuple[Found, ...]
    answer: str | None
    """None where the model's call failed."""
    failure: tuple[str, str] | None
    """The type of the error, and its message."""
    tokens: tuple[int, int, int]
    """Input, of which cached, and output."""
    response_id: str
    trace_id: int
    span_ids: tuple[int, int, int]
    """Of the turn, the search and the model's call."""
    times: tuple[int, int, int, int]
    """Nanoseconds: the beginning, the end of the search, the call's beginning and its end."""

    @property
    def trace(self) -> str:
        """The trace's id as it is written."""
        return f"{self.trace_id:032x}"

    @property
    def in_incident(self) -> bool:
        """Whether it suffered: no answer, or one that took long."""
        return self.failure is not None or self.times[3] - self.times[0] > 12 * SECOND

    @property
    def found_nothing(self) -> bool:
        """Whether the assistant had to say that it does not know."""
        return self.answer in (NO_ANSWER, japanese_manual.NO_ANSWER)


def day(end: int, seed: int = 1) -> list[Turn]:
    """The turns of the 24 hours before ``end`` (nanoseconds), in order of their time."""
    chance = random.Random(seed)
    # Another day's traces are others, also in a collector that has this one.
    ids = random.Random(f"{seed} {end}")
    turns: list[Turn] = []
    for _ in range(CONVERSATIONS):
        turns += _conversation(end - _hours_before(chance), chance, ids, end)
    return sorted(turns, key=lambda turn: turn.times)


def _hours_before(chance: random.Random) -> int:
    while True:
        hours = chance.uniform(0.1, 24)
        if chance.random() < 0.55 + 0.45 * math.cos((hours - 4) / 12 * math.pi):
            return int(hours * HOUR)


def _conversation(start: int, chance: random.Random, ids: random.Random, end: int) -> Iterator[Turn]:
    in_chat = chance.random() < 0.72
    user = USERS[min(int(chance.expovariate(1 / 35)), len(USERS) - 1)]
    models = ("gpt-4o-mini", "gpt-4.1", "gpt-4o") if in_chat else ("gpt-4o-mini", "gpt-4.1-mini", "gpt-4o")
    model = chance.choices(models, (70, 20, 10))[0]
    questions = list(chance.choice(JAPANESE_THREADS if chance.random() < 0.14 else THREADS))
    if not is_japanese(questions[0]) and chance.random() < 0.2:
        questions.insert(chance.randrange(len(questions)), chance.choice(UNKNOWN))
    questions = questions[: chance.randint(1, 4) if in_chat else 1]
    name = f"chat-{ids.getrandbits(32):08x}" if in_chat else ""
    history: list[tuple[str, str]] = []
    for question in questions:
        turn = _turn("support-chat" if in_chat else "search-assistant", user, name, model, question, history,
                     start, (end - start) / HOUR, chance, ids)  # fmt: skip
        if turn.times[3] > end:
            return
        yield turn
        if turn.answer is not None:
            history.append((question, turn.answer))
        start = turn.times[3] + int(chance.lognormvariate(math.log(35), 0.6) * SECOND)


def _turn(
    service: str, user: str, conversation: str, model: str, question: str, history: Sequence[tuple[str, str]],
    start: int, hours_before: float, chance: random.Random, ids: random.Random,
) -> Turn:  # fmt: skip
    found = japanese_manual.search(question) if is_japanese(question) else search(question)
    messages = [
        {"role": role, "content": text} for role, text in messages_of(question, found, history, is_japanese(question))
    ]
    completion = complete({"model": model, "messages": messages})
    usage = completion["usage"]
    answer, written = completion["choices"][0]["message"]["content"], usage["completion_tokens"]
    if is_japanese(question):
        answer = japanese_manual.answer(question)
        written = len(answer)
    incident = INCIDENT[1] <= hours_before <= INCIDENT[0]
    failure = chance.choice(FAILURES) if chance.random() < (0.4 if incident else 0.008) else None
    seconds = ANSWER_SECONDS[model] * chance.lognormvariate(0, 0.4) * (0.5 + written / 60)
    if incident:
        seconds *= chance.uniform(3, 7)
    if failure:
        seconds = 30.0 if "Timeout" in failure[0] else chance.uniform(0.2, 1.5)
    searched = start + int(chance.lognormvariate(math.log(0.012), 0.5) * SECOND)
    called = searched + int(chance.uniform(0.001, 0.004) * SECOND)
    return Turn(
        service=service, user=user, conversation=conversation, model=model, question=question, history=tuple(history),
        found=tuple(found), answer=None if failure else answer, failure=failure,
        tokens=(usage["prompt_tokens"], usage["prompt_tokens_details"]["cached_tokens"], written),
        response_id=f"chatcmpl-{ids.getrandbits(116):029x}",
        trace_id=ids.getrandbits(128), span_ids=(ids.getrandbits(64), ids.getrandbits(64), ids.getrandbits(64)),
        times=(start, searched, called, called + int(seconds * SECOND)),
    )  # fmt: skip


def messages_of(
    question: str, found: Iterable[Found], history: Sequence[tuple[str, str]], japanese: bool
) -> Iterator[tuple[str, str]]:
    """The roles and texts that the model gets."""
    instructions = japanese_manual.INSTRUCTIONS if japanese else INSTRUCTIONS
    yield "system", "\n".join([instructions, *(f"[{document.id}] {document.text}" for document in found)])
    for asked, answered in history:
        yield "user", asked
        yield "assistant", answered
    yield "user", question


class _Planned(IdGenerator):
    """The ids that a turn was given."""

    def __init__(self) -> None:
        self.trace_id = 0
        self.span_ids: list[int] = []

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        return self.span_ids.pop(0)


def send(turns: Iterable[Turn], otlp: str) -> None:
    """Send the turns' spans to ``otlp``, host and port of an OTLP/gRPC listener; they are stored when this returns."""
    ids = _Planned()
    tracers: dict[str, Tracer] = {}
    providers = []
    for turn in turns:
        if turn.service not in tracers:
            resource = Resource({"service.name": turn.service, "deployment.environment.name": "production"})
            provider = TracerProvider(resource=resource, id_generator=ids)
            exporter = OTLPSpanExporter(endpoint=otlp, insecure=True)
            provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=20_000))
            providers.append(provider)
            tracers[turn.service] = provider.get_tracer("hansei.examples.traffic")
        ids.trace_id, ids.span_ids = turn.trace_id, list(turn.span_ids)
        _record(turn, tracers[turn.service])
    for provider in providers:
        provider.shutdown()


def _record(turn: Turn, tracer: Tracer) -> None:
    started, searched, called, answered = turn.times
    whose: dict[str, Any] = {"user.id": turn.user}
    if turn.conversation:
        whose |= {"session.id": turn.conversation, "gen_ai.conversation.id": turn.conversation}
    inputs = {"question": turn.question, "model": turn.model}
    root = tracer.start_span("answer_question", start_time=started, attributes=whose)
    root.set_attribute("hansei.span.inputs", _json(inputs))
    below = set_span_in_context(root)
    documents = [document._asdict() for document in turn.found]
    retrieval: dict[str, Any] = {
        "hansei.span.type": "RETRIEVER",
        "hansei.span.inputs": _json({"query": turn.question}),
        "hansei.span.outputs": _json(documents),
        "gen_ai.operation.name": "retrieval",
        "gen_ai.retrieval.query.text": turn.question,
        "gen_ai.retrieval.top_k": 2,
        "gen_ai.retrieval.documents": _json(
            [{"id": found.id, "score": found.score, "content": found.text} for found in turn.found]
        ),
    }
    tracer.start_span(
        "retrieval kumo-manual", below, SpanKind.CLIENT, start_time=started + 80_000, attributes=whose | retrieval
    ).end(searched)
    call = tracer.start_span(
        f"chat {turn.model}", below, SpanKind.CLIENT, start_time=called, attributes=whose | _request(turn)
    )
    for span, end in ((call, answered), (root, answered + 400_000)):
        assert isinstance(span, Span)
        if turn.failure:
            _fail(span, turn.failure, end)
        elif span is call:
            span.set_attributes(_response(turn))
        else:
            span.set_attribute("hansei.span.outputs", _json(turn.answer))
        span.end(end)


def _request(turn: Turn) -> dict[str, Any]:
    messages = messages_of(turn.question, turn.found, turn.history, is_japanese(turn.question))
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": turn.model,
        "gen_ai.request.max_tokens": 200,
        "gen_ai.request.temperature": 0,
        "gen_ai.input.messages": _json([_message(role, text) for role, text in messages]),
        "openai.api.type": "chat_completions",
        "server.address": "api.openai.com",
    }


def _response(turn: Turn) -> dict[str, Any]:
    return {
        "gen_ai.output.messages": _json([_message("assistant", turn.answer or "") | {"finish_reason": "stop"}]),
        "gen_ai.response.id": turn.response_id,
        "gen_ai.response.model": MODELS[turn.model],
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": turn.tokens[0],
        "gen_ai.usage.cache_read.input_tokens": turn.tokens[1],
        "gen_ai.usage.output_tokens": turn.tokens[2],
    }


def _message(role: str, text: str) -> dict[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _fail(span: Span, failure: tuple[str, str], at: int) -> None:
    kind, message = failure
    span.set_attribute("error.type", kind)
    span.add_event("exception", {"exception.type": kind, "exception.message": message}, timestamp=at - 100_000)
    span.set_status(Status(StatusCode.ERROR, message))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def main() -> None:
    """Send a day, and what was said of it."""
    parser = argparse.ArgumentParser(description="Send a collector a day of the support assistant, and its feedback.")
    parser.add_argument("--otlp-grpc", default="127.0.0.1:4317", help="the collector's listener (default: %(default)s)")
    parser.add_argument("--otlp-http", default="127.0.0.1:4318", help="the collector's listener (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="which day (default: %(default)s)")
    arguments = parser.parse_args()
    turns = day(time.time_ns(), arguments.seed)
    said = visitors.assessments(turns, arguments.seed)
    send(turns, arguments.otlp_grpc)
    visitors.send(said, arguments.otlp_http)
    print(f"{len(turns)} traces, {len(said)} assessments")


if __name__ == "__main__":
    main()
