"""Streams: what the application reads from them, and how they end.

A stream keeps its type, its methods and its chunks. What it iterates over is put behind an iterator that looks at each
chunk as it passes.
"""

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from weakref import WeakKeyDictionary

from hansei.instrumentation import attributes as names
from hansei.instrumentation.call import Call
from hansei.instrumentation.operations.operation import StreamReader

FINISHED, TRUNCATED, CANCELLED, ABANDONED = "finished", "truncated", "cancelled", "abandoned"
"""The provider said that it was done; the stream ended without that; the application closed it; nobody read on."""


class Observation:
    """One response that is read as it arrives, until it has ended in one way or another."""

    __slots__ = ("_ended", "_first", "_last", "advancing", "answer", "by_chunk", "call", "reader", "source")

    def __init__(self, call: Call, reader: StreamReader) -> None:
        self.call = call
        self.reader = reader
        self.answer: Any = None
        """An answer that was not a stream, once it has been read."""
        self.by_chunk = False
        """Whether chunks are looked at as the client makes them; else bytes are."""
        self.advancing = False
        """Whether the client is at work on the next chunk: what it closes meanwhile is its own affair."""
        self.source: Any = None
        """The client's own iterator."""
        self._first: float | None = None
        self._last: int | None = None
        self._ended = False

    def __del__(self) -> None:
        # Whatever could have read on is gone. One that was never made whole has nothing to end.
        if (call := getattr(self, "call", None)) is not None:
            call.guard.run("end a stream", self.forgotten)

    def arrived(self) -> None:
        """Note the time."""
        self._last = time.time_ns()
        if self._first is None:
            self._first = self.call.seconds

    def read(self, chunk: Any) -> None:
        """Take in a chunk."""
        self.arrived()
        if self.call.telling:
            self.reader.read(chunk)

    def consumed(self) -> None:
        """All of it has arrived."""
        self._end(TRUNCATED if self.reader.complete is False and self.answer is None and self.by_chunk else FINISHED)

    def failed(self, error: BaseException) -> None:
        """Reading on raised."""
        if not self._ended:
            self._ended, self.source = True, None
            try:
                self._tell()
            finally:
                self.call.fail(error)

    def closed(self) -> None:
        """Somebody closed the response."""
        if self.advancing or self._ended:
            return
        if self._source_is_closing():
            # It is the client's generator that closes, because nobody holds it any more.
            self.forgotten()
        else:
            self._end(FINISHED if self.reader.complete else CANCELLED)

    def forgotten(self) -> None:
        """Nobody can read on: the response was neither read to its end nor closed."""
        if not self._ended:
            self._end(FINISHED if self.reader.complete else ABANDONED)

    def _source_is_closing(self) -> bool:
        source = self.source
        running = getattr(source, "gi_running", False) or getattr(source, "ag_running", False)
        # An event loop closes a forgotten generator first and what it reads from after it.
        return bool(running or getattr(source, "ag_frame", source) is None) and source is not None

    def _end(self, outcome: str) -> None:
        if self._ended:
            return
        self._ended, self.source = True, None
        # An application that kept a stream open for an hour after its last chunk did not wait an hour for it.
        ended = time.time_ns() if outcome in (FINISHED, TRUNCATED) or self._last is None else self._last
        try:
            if self.call.request.stream:
                self.call.note({names.STREAM_OUTCOME: outcome})
                if outcome == TRUNCATED:
                    self.call.note({names.ERROR_TYPE: "stream_truncated"})
            self._tell()
        finally:
            self.call.end(ended)

    def _tell(self) -> None:
        if self.call.request.stream and self._first is not None:
            self.call.note({names.RESPONSE_TIME_TO_FIRST_CHUNK: self._first})
        answer = self.answer
        if answer is None:
            answer = self.call.guard.run("put a stream together", self.reader.response)
        if answer is not None:
            self.call.tell_response(answer)


class ObservedIterator:
    """The chunks of a :class:`Stream`, looked at as they pass."""

    __slots__ = ("_next", "_observation", "_source")

    def __init__(self, source: Iterator[Any], observation: Observation) -> None:
        self._source = source
        self._next = source.__next__
        self._observation = observation

    def __iter__(self) -> "ObservedIterator":
        return self

    def __next__(self) -> Any:
        observation = self._observation
        observation.advancing = True
        try:
            chunk = self._next()
        except StopIteration:
            observation.call.guard.run("end a stream", observation.consumed)
            raise
        except BaseException as error:
            observation.call.guard.run("end a stream", observation.failed, error)
            raise
        finally:
            observation.advancing = False
        try:
            observation.read(chunk)
        except Exception:
            observation.call.guard.report("read a chunk")
        return chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_source"), name)


class ObservedAsyncIterator:
    """The chunks of an :class:`AsyncStream`, looked at as they pass."""

    __slots__ = ("_next", "_observation", "_source")

    def __init__(self, source: AsyncIterator[Any], observation: Observation) -> None:
        self._source = source
        self._next = source.__anext__
        self._observation = observation

    def __aiter__(self) -> "ObservedAsyncIterator":
        return self

    async def __anext__(self) -> Any:
        observation = self._observation
        observation.advancing = True
        try:
            chunk = await self._next()
        except StopAsyncIteration:
            observation.call.guard.run("end a stream", observation.consumed)
            raise
        except BaseException as error:
            observation.call.guard.run("end a stream", observation.failed, error)
            raise
        finally:
            observation.advancing = False
        try:
            observation.read(chunk)
        except Exception:
            observation.call.guard.report("read a chunk")
        return chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_source"), name)


class StreamRegistry:
    """Which responses are streams that will be observed, until the client has made a stream of them."""

    def __init__(self) -> None:
        self._expected: WeakKeyDictionary[Any, Observation] = WeakKeyDictionary()

    def expect(self, response: Any, observation: Observation) -> None:
        """The client will make a stream of this response, now or later."""
        self._expected[response] = observation

    def observe(self, stream: Any) -> None:
        """Put what the stream iterates over behind our own iterator, if it is one that is expected."""
        observation = self._expected.pop(stream.response, None)
        if observation is None:
            return
        source = stream._iterator
        stream._iterator = (
            ObservedAsyncIterator(source, observation)
            if hasattr(source, "__anext__")
            else ObservedIterator(source, observation)
        )
        observation.source, observation.by_chunk = source, True
