"""A statement at work in a thread of the engine's, and its result as it comes."""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass

from hansei.collector.sql_engine import Engine, Figures, Session
from hansei.collector.sql_native import NativeBlocks
from hansei.collector.sql_threads import Threads

_PIPE_SIZE = 1 << 20
_PIECE = 1 << 20
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0
_PATIENCE = 3.0
"""Seconds that a statement has to end once it is asked to. The engine looks for that between blocks of rows only."""


@dataclass
class Output:
    """Where a thread writes a result."""

    descriptor: int
    format: str = "TabSeparated"
    """What its reader gets. To be set before anything is written, and so is the next."""
    blocks: NativeBlocks | None = None
    """What makes that format of what is written, where the two differ."""


Work = Callable[[Session, Output], Figures]
"""All that is done for one request, with a handle of its own."""


class Result:
    """Reads what a statement writes into a pipe. Of the result no more is held than the pipe does."""

    def __init__(self, engine: Engine, work: Work, threads: Threads) -> None:
        """Start ``work`` in a thread."""
        self._engine, self.mark = engine, engine.mark()
        self._read_end, write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        with contextlib.suppress(OSError, AttributeError):
            fcntl.fcntl(self._read_end, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
        self._output = Output(write_end)
        self._job = threads.submit(self._run, work)
        self._loop = asyncio.get_running_loop()
        self._done = asyncio.wrap_future(self._job)
        self._done.add_done_callback(_look)

    def _run(self, work: Work) -> Figures:
        try:
            with contextlib.closing(self._engine.session(self.mark)) as session:
                return work(session, self._output)
        finally:
            os.close(self._output.descriptor)

    @property
    def format(self) -> str:
        """The format of the result, once there is a piece of it."""
        return self._output.format

    async def piece(self) -> bytes:
        """The next bytes; none at the end."""
        while piece := await self._read():
            if self._output.blocks is None:
                return piece
            if framed := self._output.blocks.frame(piece):
                return framed
        return b""

    async def _read(self) -> bytes:
        while True:
            try:
                return os.read(self._read_end, _PIECE)
            except BlockingIOError:
                readable = self._loop.create_future()
                self._loop.add_reader(self._read_end, _set, readable)
                try:
                    await readable
                finally:
                    self._loop.remove_reader(self._read_end)

    async def figures(self) -> Figures:
        """What was read and written, after the last piece.

        Raises :class:`~hansei.collector.sql_errors.SqlError` where the statement failed.
        """
        figures: Figures = await asyncio.shield(self._done)
        return figures

    async def close(self) -> bool:
        """Call it once. Ends the statement if it is still at work, and waits a while; whether it has ended."""
        # A statement that waits to write is not stopped by its reader's leaving alone: the engine goes on computing.
        os.close(self._read_end)
        if self._job.cancel():
            # It has not begun.
            os.close(self._output.descriptor)
            return True
        deadline = self._loop.time() + _PATIENCE
        pause = _FIRST_PAUSE
        while not self._done.done() and self._loop.time() < deadline:
            await asyncio.to_thread(self._engine.kill, self.mark)
            await asyncio.wait([self._done], timeout=pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return self._done.done()


def _set(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def _look(future: "asyncio.Future[Figures]") -> None:
    """Of a result that nobody waits for any more, nobody wants to know how it failed."""
    if not future.cancelled():
        future.exception()


def write_all(descriptor: int, data: bytes) -> None:
    """Write bytes that are at hand into a result's pipe."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
