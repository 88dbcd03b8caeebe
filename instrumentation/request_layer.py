"""Where every request of an openai client passes: wrappers of what its resources have in common.

``chat.completions.create``, ``.parse``, ``.stream()``, ``with_raw_response``, a method that a release of next year adds
and ``client.post()`` all end in ``SyncAPIClient.request`` or ``AsyncAPIClient.request``. There the parameters are what
the server will get: an iterator that an application passed as messages has become a list.
"""

import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from opentelemetry.context import get_current
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from hansei.instrumentation.call import Call
from hansei.instrumentation.http_body import json_body
from hansei.instrumentation.operations.operation import Request
from hansei.instrumentation.operations.routes import operation_of
from hansei.instrumentation.response_bytes import observe_bytes
from hansei.instrumentation.server import UNKNOWN_SERVER, Server, server_of
from hansei.instrumentation.streams import Observation, StreamRegistry
from hansei.instrumentation.telemetry import Telemetry

Arguments = tuple[Any, ...]
Keywords = dict[str, Any]
_NOTHING: Mapping[str, Any] = {}


class RequestLayer:
    """The wrappers, in the form that wrapt calls. What they return or raise is exactly what the client does."""

    def __init__(self, telemetry: Telemetry, *, stands_down: Callable[[], bool]) -> None:
        self.enabled = True
        self._telemetry = telemetry
        self._guard = telemetry.guard
        self._stands_down = stands_down
        self._streams = StreamRegistry()
        # Of each client, as long as it keeps the address that it had.
        self._servers: WeakKeyDictionary[Any, tuple[Any, Server]] = WeakKeyDictionary()
        self._current: ContextVar[_Exchange | None] = ContextVar("hansei_request", default=None)

    def request(self, wrapped: Callable[..., Any], client: Any, args: Arguments, kwargs: Keywords) -> Any:
        """``SyncAPIClient.request``."""
        exchange = self._guard.run("start a call", self._start, client, args, kwargs) if self.enabled else None
        if exchange is None:
            return wrapped(*args, **kwargs)
        token = self._current.set(exchange)
        try:
            result = wrapped(*args, **kwargs)
        except BaseException as error:
            self._guard.run("end a call", exchange.failed, error)
            raise
        finally:
            self._guard.run("leave a call", self._leave, exchange, token)
        self._guard.run("end a call", exchange.hand_over, result)
        return result

    async def async_request(self, wrapped: Callable[..., Any], client: Any, args: Arguments, kwargs: Keywords) -> Any:
        """``AsyncAPIClient.request``."""
        exchange = self._guard.run("start a call", self._start, client, args, kwargs) if self.enabled else None
        if exchange is None:
            return await wrapped(*args, **kwargs)
        token = self._current.set(exchange)
        try:
            result = await wrapped(*args, **kwargs)
        except BaseException as error:
            self._guard.run("end a call", exchange.failed, error)
            raise
        finally:
            self._guard.run("leave a call", self._leave, exchange, token)
        self._guard.run("end a call", exchange.hand_over, result)
        return result

    def process_response(self, wrapped: Callable[..., Any], client: Any, args: Arguments, kwargs: Keywords) -> Any:
        """``_process_response`` of both clients: the HTTP response that the call goes on with, before it is read."""
        exchange = self._current.get()
        if exchange is not None:
            self._guard.run("look at a response", exchange.answered, kwargs, self._telemetry, self._streams)
        return wrapped(*args, **kwargs)

    def retry_timeout(self, wrapped: Callable[..., Any], client: Any, args: Arguments, kwargs: Keywords) -> Any:
        """``_calculate_retry_timeout``: asked in the handler of what failed, before the request is sent again."""
        delay = wrapped(*args, **kwargs)
        exchange = self._current.get()
        if exchange is not None:
            self._guard.run("note a retry", exchange.call.resent, delay, sys.exc_info()[1])
        return delay

    def stream_made(self, wrapped: Callable[..., Any], stream: Any, args: Arguments, kwargs: Keywords) -> Any:
        """``Stream.__init__`` and ``AsyncStream.__init__``, now or when a raw response is parsed."""
        result = wrapped(*args, **kwargs)
        self._guard.run("observe a stream", self._streams.observe, stream)
        return result

    def observes(self) -> bool:
        """Whether calls are observed now: nobody suppresses it, and nobody else does it."""
        return self.enabled and (not get_current() or is_instrumentation_enabled()) and not self._stands_down()

    def _leave(self, exchange: "_Exchange", token: "Token[_Exchange | None]") -> None:
        try:
            exchange.call.leave()
        finally:
            # A coroutine may be driven in one context and closed in another, which refuses the token.
            self._current.reset(token)

    def _start(self, client: Any, args: Arguments, kwargs: Keywords) -> "_Exchange | None":
        if not self.observes():
            return None
        options = kwargs["options"] if "options" in kwargs else args[1]
        url: str = options.url
        # A page's link to the next one may be whole.
        path = urlsplit(url).path if "://" in url else url
        operation, ids = operation_of(options.method, path)
        server = self._guard.run("read a server's address", self._server, client) or UNKNOWN_SERVER
        request = Request(options.method, path, _parameters(options), server, bool(kwargs.get("stream")), ids)
        exchange = _Exchange(Call(self._telemetry, operation, request))
        # Last, so that whatever fails before leaves the context as it was.
        exchange.call.enter()
        return exchange

    def _server(self, client: Any) -> Server:
        url = client.base_url
        known = self._servers.get(client)
        if known is None or known[0] is not url:
            known = self._servers[client] = (url, server_of(client))
        return known[1]


class _Exchange:
    """One request under way, until its call has ended or a stream has taken it over."""

    __slots__ = ("_observation", "_response", "call")

    def __init__(self, call: Call) -> None:
        self.call = call
        self._response: Any = None
        self._observation: Observation | None = None

    def answered(self, kwargs: Keywords, telemetry: Telemetry, streams: StreamRegistry) -> None:
        """Look at the response before the client does; what is not here yet is observed as it comes."""
        response = kwargs["response"]
        self._response = response
        self.call.answered(response)
        here, streamed = response.is_closed, kwargs.get("stream")
        if streamed or not here:
            limit = telemetry.content.max_length if self.call.telling_content else 0
            observation = Observation(self.call, self.call.operation.reader(self.call.request, limit))
            # A transport in the process, as tests have it, may give a stream's bytes all at once.
            if not here:
                response.stream = observe_bytes(response, observation)
            if streamed:
                streams.expect(response, observation)
            self._observation = observation

    def hand_over(self, result: Any) -> None:
        """The client is done: end the call, unless what it handed out is still to be read."""
        if self._observation is None:
            self.call.succeed(self._answer(result))

    def failed(self, error: BaseException) -> None:
        """The client raised; an answer that it did not like has been paid for."""
        if self._observation is None and self._response is not None and self._response.is_success:
            self.call.tell_response(self._body())
        self.call.fail(error)

    def _answer(self, result: Any) -> Any:
        """The answer as the client made it, else read from the body that is here."""
        if self._response is not None and type(result).__module__.startswith(_RAW_MODULES):
            return self._body()
        return result

    def _body(self) -> Any:
        return json_body(self._response.headers, self._response.content)


_RAW_MODULES = ("openai._legacy_response", "openai._response", "httpx")
"""Where the types are from whose answers have not been parsed: raw responses, files, HTTP responses."""


def _parameters(options: Any) -> Mapping[str, Any]:
    """What is sent: the body, over it ``extra_body``, which the client lets win; the query where there is no body."""
    body = options.json_data
    extra = getattr(options, "extra_json", None)
    if not isinstance(body, Mapping):
        body = _NOTHING
    if isinstance(extra, Mapping):
        return {**body, **extra}
    return body or (options.params if isinstance(options.params, Mapping) else _NOTHING)
