"""A server in the process that answers as it is told, and what an application can see of its calls."""

import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from openai import AsyncOpenAI, OpenAI
from opentelemetry import trace

from hansei.instrumentation.content import Content
from hansei.instrumentation.instrumentor import HanseiOpenAIInstrumentor

from .conftest import Spans

JSON, SSE = {"content-type": "application/json"}, {"content-type": "text/event-stream"}
Seen = list[Any]
"""What an application saw, in order, as values that compare."""


@dataclass(frozen=True)
class Answer:
    """One HTTP response: its pieces as they arrive, and what is raised after them."""

    pieces: Sequence[bytes] = ()
    headers: dict[str, str] = field(default_factory=lambda: JSON)
    status: int = 200
    error: Callable[[], Exception] | None = None


class _Body(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    def __init__(self, answer: Answer, pause: Callable[[], Any] | None, closed: list[str]) -> None:
        self._answer = answer
        self._pause = pause
        self._closed = closed

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.pieces
        if self._answer.error is not None:
            raise self._answer.error()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            if self._pause is not None:
                await self._pause()
            yield piece

    def close(self) -> None:
        self._closed.append("closed")

    async def aclose(self) -> None:
        self.close()


class Transport(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Gives the answers in turn, the last one for ever, and keeps what was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.pause: Callable[[], Any] | None = None
        """Awaited before an answer and before each of its pieces."""
        self.wire: Seen = []
        """What came over the wire, without the one header that is random; and what was closed."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """See :class:`httpx2.BaseTransport`."""
        headers = [pair for pair in request.headers.raw if pair[0].lower() != b"idempotency-key"]
        self.wire.append((request.method, str(request.url), headers, request.read()))
        return self._response()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """See :class:`httpx2.AsyncBaseTransport`."""
        headers = [pair for pair in request.headers.raw if pair[0].lower() != b"idempotency-key"]
        self.wire.append((request.method, str(request.url), headers, await request.aread()))
        if self.pause is not None:
            await self.pause()
        return self._response()

    def _response(self) -> httpx2.Response:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        body = _Body(answer, self.pause, self.wire)
        return httpx2.Response(answer.status, headers=answer.headers, stream=body)

    def client(self, retries: int = 0) -> OpenAI:
        """A client of this server."""
        return OpenAI(api_key="key", max_retries=retries, http_client=httpx2.Client(transport=self))

    def async_client(self, retries: int = 0) -> AsyncOpenAI:
        """An asynchronous client of this server."""
        client = AsyncOpenAI(api_key="key", max_retries=retries, http_client=httpx2.AsyncClient(transport=self))
        # Asked for in a thread of its own otherwise, which takes longer than a call.
        client._platform = "Linux"
        return client


class Warnings(logging.Handler):
    """What hansei logs, at any level."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """See :class:`logging.Handler`."""
        self.records.append(record)

    def of(self, level: int) -> list[str]:
        """The messages of a level."""
        return [record.getMessage() for record in self.records if record.levelno == level]


@contextmanager
def observing(**settings: Any) -> Iterator[tuple[Spans, Warnings]]:
    """Instrumented, with content on spans, until the block ends."""
    spans, warnings = Spans(), Warnings()
    logger = logging.getLogger("hansei")
    level = logger.level
    logger.addHandler(warnings)
    logger.setLevel(logging.DEBUG)
    # pytest's own handler writes every traceback out.
    logger.propagate = False
    instrumentor = HanseiOpenAIInstrumentor()
    chosen = {"content": Content(on_spans=True), "metrics": "none", **settings}
    instrumentor.instrument(tracer_provider=spans.provider, **chosen)
    try:
        yield spans, warnings
    finally:
        instrumentor.uninstrument()
        logger.removeHandler(warnings)
        logger.setLevel(level)
        logger.propagate = True


def alike(look: Callable[[], Seen]) -> Spans:
    """Let an application look, bare and observed; it must see the same, and hansei have nothing to complain of."""
    bare = look()
    with observing() as (spans, warnings):
        observed = look()
    assert observed == bare
    assert [record.getMessage() for record in warnings.records] == []
    assert trace.get_current_span() is trace.INVALID_SPAN
    return spans


def shown(value: object) -> str:
    """A value as text, without addresses in memory."""
    return f"{type(value).__module__}.{type(value).__qualname__} " + re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def raised(error: BaseException | None) -> Any:
    """An exception with all that hangs on it."""
    if error is None:
        return None
    return (
        type(error),
        shown(error.args),
        {name: shown(value) for name, value in sorted(vars(error).items())},
        error.__suppress_context__,
        raised(error.__cause__),
        raised(error.__context__),
        getattr(error, "__notes__", None),
    )
