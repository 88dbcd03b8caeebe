"""The bytes of a response that is not here yet, observed on their way: to know when it is read, closed or forgotten."""

from collections.abc import AsyncIterator, Iterator
from functools import lru_cache
from typing import Any

from hansei.instrumentation.http_body import MAX_BYTES, decoded, events, json_body
from hansei.instrumentation.streams import Observation


def observe_bytes(response: Any, observation: Observation) -> Any:
    """A stand-in for ``response.stream`` that hands out the same chunks.

    It is one of the HTTP library's own kind, since that looks at the type.
    """
    original = response.stream
    base = next(kind for kind in type(original).__mro__ if kind.__name__ in ("SyncByteStream", "AsyncByteStream"))
    observed: Any = _observed_kind(base)
    return observed(original, observation, Body(response.headers))


class Body:
    """What passed, up to a bound."""

    __slots__ = ("_headers", "_pieces", "_size")

    def __init__(self, headers: Any) -> None:
        self._headers = headers
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Keep a piece, unless all is too long."""
        self._size += len(piece)
        if self._size <= MAX_BYTES:
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def tell(self, observation: Observation) -> None:
        """Say what the body says."""
        raw = b"".join(self._pieces)
        content = decoded(self._headers, raw) if 0 < self._size <= MAX_BYTES else None
        if content is None:
            return
        if "event-stream" in self._headers.get("content-type", ""):
            for event in events(content.decode(errors="replace")):
                observation.reader.read(event)
        elif (value := json_body(self._headers, content)) is not None:
            observation.answer = value


class _Observed:
    """What both kinds share."""

    def __init__(self, original: Any, observation: Observation, body: Body) -> None:
        self._original = original
        self._observation = observation
        self._body = body

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_original"), name)

    def _passed(self, piece: bytes) -> None:
        self._observation.arrived()
        self._body.add(piece)

    def _consumed(self) -> None:
        self._observation.call.guard.run("read a body", self._body.tell, self._observation)
        self._observation.consumed()


class _ObservedSync(_Observed):
    def __iter__(self) -> Iterator[bytes]:
        return self._pass_on() if not self._observation.by_chunk else iter(self._original)

    def _pass_on(self) -> Iterator[bytes]:
        guard, observation = self._observation.call.guard, self._observation
        try:
            for piece in self._original:
                guard.run("look at bytes", self._passed, piece)
                yield piece
        except GeneratorExit:
            # Whoever reads stops here; the response says how when it is closed.
            raise
        except BaseException as error:
            guard.run("end a stream", observation.failed, error)
            raise
        guard.run("end a stream", self._consumed)

    def close(self) -> None:
        try:
            self._original.close()
        finally:
            self._observation.call.guard.run("end a stream", self._observation.closed)


class _ObservedAsync(_Observed):
    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pass_on() if not self._observation.by_chunk else aiter(self._original)

    async def _pass_on(self) -> AsyncIterator[bytes]:
        guard, observation = self._observation.call.guard, self._observation
        try:
            async for piece in self._original:
                guard.run("look at bytes", self._passed, piece)
                yield piece
        except GeneratorExit:
            raise
        except BaseException as error:
            guard.run("end a stream", observation.failed, error)
            raise
        guard.run("end a stream", self._consumed)

    async def aclose(self) -> None:
        try:
            await self._original.aclose()
        finally:
            self._observation.call.guard.run("end a stream", self._observation.closed)


@lru_cache(maxsize=8)
def _observed_kind(base: type) -> type:
    mixin = _ObservedSync if base.__name__ == "SyncByteStream" else _ObservedAsync
    return type(mixin.__name__.lstrip("_"), (mixin, base), {})
