"""HTTP listeners: ASGI applications on sockets, all in one event loop."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp


class _Server(uvicorn.Server):
    """uvicorn without signal handlers of its own: the collector decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _is_news(record: logging.LogRecord) -> bool:
    """An answer that breaks off on purpose is how a failure in the middle of a result is told."""
    return "without completing response" not in record.msg


logging.getLogger("uvicorn.error").addFilter(_is_news)


class HttpListeners:
    """uvicorn servers that start and stop together."""

    def __init__(self) -> None:
        self._servers: list[tuple[_Server, socket.socket]] = []
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, app: ASGIApp, bound: socket.socket) -> None:
        """Serve an application on a bound socket."""
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            http="httptools",
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        self._servers.append((_Server(config), bound))

    async def start(self) -> None:
        """Begin to accept; returns once all of them do."""
        for server, bound in self._servers:
            self._tasks.append(asyncio.create_task(server.serve(sockets=[bound])))
        while not all(server.started for server, _ in self._servers):
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Stop accepting, and wait a little for what is under way."""
        for server, _ in self._servers:
            server.should_exit = True
        await asyncio.gather(*self._tasks)
