"""A statement at work in a thread of the engine's, and its result as it comes."""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Callable
from concurrent.futures import Executor

from hansei.collector.sql_engine import Engine, Figures, Session
from hansei.collector.sql_errors import SqlError

_PIPE_SIZE = 1 << 20
_PIECE = 1 << 20
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0


class Result:
    """Reads what a statement writes into a pipe. Of the result no more is held than the pipe does."""

    def __init__(self, engine: Engine, session: Session, work: Callable[[int], Figures], executor: Executor) -> None:
        """Start ``work`` in ``executor``; it gets a file descriptor to write the result into."""
        self._engine, self._session = engine, session
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        with contextlib.suppress(OSError, AttributeError):
            fcntl.fcntl(self._read_end, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
        self._loop = asyncio.get_running_loop()
        self._done = self._loop.run_in_executor(executor, self._run, work)
        self._closed = False

    def _run(self, work: Callable[[int], Figures]) -> Figures:
        try:
            return work(self._write_end)
        finally:
            os.close(self._write_end)

    async def piece(self) -> bytes:
        """The next bytes; none at the end."""
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
        """What was read and written, after the last piece. Raises :class:`SqlError` where the statement failed."""
        return await self._done

    async def close(self) -> None:
        """End the statement if it is still at work, and wait until it has ended."""
        if self._closed:
            return
        self._closed = True
        # A statement that waits to write is not stopped by its reader's leaving alone: the engine goes on computing.
        os.close(self._read_end)
        pause = _FIRST_PAUSE
        while not self._done.done():
            await asyncio.to_thread(self._engine.kill, self._session.mark)
            await asyncio.wait([self._done], timeout=pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        with contextlib.suppress(SqlError):
            await self._done


def _set(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def write_all(descriptor: int, data: bytes) -> None:
    """Write bytes that are at hand into a result's pipe."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
