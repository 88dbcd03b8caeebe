"""The SQL endpoint: ClickHouse's HTTP interface over the embedded engine.

A reader's statement is judged (:mod:`hansei.collector.sql_guard`), limited and streamed; an administrator's is
run as it is, with data for an ``INSERT`` from the body. Requests share nothing but the engine: there are no
sessions, so ``SET`` and temporary tables do not last beyond a statement.
"""

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from hansei.collector.sql_access import Access, Role
from hansei.collector.sql_catalog import Catalog
from hansei.collector.sql_engine import Engine, Figures, Session
from hansei.collector.sql_errors import SqlError
from hansei.collector.sql_guard import Guard
from hansei.collector.sql_limits import NICENESS, Limits, admin_settings
from hansei.collector.sql_native import BUFFERS, NativeBlocks
from hansei.collector.sql_request import READER_BODY_LIMIT, SqlRequest, read_request
from hansei.collector.sql_response import error_response, send_result
from hansei.collector.sql_result import Output, Result, Work, write_all
from hansei.collector.sql_statement import Statement
from hansei.collector.sql_threads import Threads
from hansei.collector.sql_words import check_parameters, judge_format

log = logging.getLogger("hansei.collector")

_ADMIN_THREADS = 8
_PATIENCE = 10.0
"""Seconds that a query waits for its turn before it is refused."""
_LAST_PATIENCE = 5.0
"""Seconds that queries have to end when the endpoint is closed."""
_GRACE = 2.0
"""Seconds beyond ``max_execution_time`` in which the engine ends a query itself; it cannot while its reader is slow."""
_MUCH_MEMORY = 64 << 20
"""Bytes from which a query is worth ending for its memory."""
_READONLY = 1
_READONLY_BUT_FOR_SETTINGS = 2
_SETTINGS_TABLE = {("system", "settings")}


@dataclass
class _Reading:
    """A reader's query at work."""

    task: "asyncio.Task[None]"
    ended: bool = False
    """Whether it was ended for its memory."""

    def end(self) -> None:
        """End it, in its event loop."""
        self.ended = True
        self.task.cancel()


class SqlEndpoint:
    """An ASGI application. Close it before the store whose engine it uses."""

    def __init__(self, connection_string: str, limits: Limits, access: Access) -> None:
        """``connection_string``: of the embedded store that is open in this process."""
        self._engine = Engine(connection_string)
        self._guard = Guard(Catalog(self._engine.ask))
        self._limits, self._access = limits, access
        self._turns = asyncio.Semaphore(limits.queries)
        self._readers = Threads(limits.queries, "sql-reader", _step_back)
        self._admins = Threads(_ADMIN_THREADS, "sql-admin")
        self._reading: dict[str, _Reading] = {}

    def close(self) -> bool:
        """Give up threads and handles; no request is answered any more. Answers whether every query has ended."""
        ended = all([self._readers.stop(_LAST_PATIENCE), self._admins.stop(_LAST_PATIENCE)])
        if ended:
            self._engine.close()
        else:
            log.warning("a query through the SQL endpoint does not end; hansei ends without it")
        return ended

    def relieve(self) -> bool:
        """End the readers' queries that hold much memory, for what matters more; whether there are any.

        From any thread but the event loop's.
        """
        readings = dict(self._reading)
        try:
            held = self._engine.memory()
            readings = {mark: one for mark, one in readings.items() if held.get(mark, 0) >= _MUCH_MEMORY}
        except SqlError:
            # There is too little to find that out.
            pass
        for reading in readings.values():
            log.warning("a query through the SQL endpoint is ended: ingest needs its memory")
            reading.task.get_loop().call_soon_threadsafe(reading.end)
        return bool(readings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            await self._handle(request, receive, send)
        except SqlError as error:
            await error_response(error, self._engine.version)(scope, receive, send)
        except ClientDisconnect:
            pass

    async def _handle(self, request: Request, receive: Receive, send: Send) -> None:
        simple = _simple_response(request)
        if simple is not None:
            await simple(request.scope, receive, send)
            return
        role = self._access.role(request.headers, request.query_params)
        asked = await read_request(request, limit=READER_BODY_LIMIT if role is Role.READER else None)
        # Only now, since reading the body and noticing that the caller left are the same stream of messages.
        left = asyncio.create_task(_left(receive))
        begun = asyncio.Event()

        async def send_noting(message: Message) -> None:
            begun.set()
            await send(message)

        work = asyncio.create_task(self._answer(asked, role, send_noting))
        try:
            await asyncio.wait({left, work}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done() and role is Role.READER:
                work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.wait({work})
            if not begun.is_set():
                raise SqlError(394, "QUERY_WAS_CANCELLED", "Query was cancelled: hansei stops") from None
        except SqlError as error:
            # Else the answer breaks off: its reader was too slow.
            if not begun.is_set():
                await error_response(error, self._engine.version, asked.query_id)(request.scope, receive, send)
        finally:
            left.cancel()

    async def _answer(self, asked: SqlRequest, role: Role, send: Send) -> None:
        if role is Role.ADMIN:
            async with self._result(partial(self._run_for_admin, asked), asked, self._admins) as result:
                await send_result(result, asked, self._engine, send)
            return
        async with self._turn(), self._result(partial(self._run_for_reader, asked), asked, self._readers) as result:
            try:
                await asyncio.wait_for(self._send_to_reader(result, asked, send), self._limits.seconds + _GRACE)
            except asyncio.TimeoutError:  # the built-in one from Python 3.11 on
                raise SqlError(
                    159, "TIMEOUT_EXCEEDED", f"Timeout exceeded: maximum: {self._limits.seconds:g} seconds"
                ) from None

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            await asyncio.wait_for(self._turns.acquire(), _PATIENCE)
        except asyncio.TimeoutError:
            raise SqlError(
                202,
                "TOO_MANY_SIMULTANEOUS_QUERIES",
                f"Too many simultaneous queries. Maximum: {self._limits.queries}; try again later",
            ) from None
        try:
            yield
        finally:
            self._turns.release()

    def _run_for_reader(self, asked: SqlRequest, session: Session, output: Output) -> Figures:
        statement, output.format = self._judge(session, asked)
        return _run(session, statement, asked, output)

    def _judge(self, session: Session, asked: SqlRequest) -> tuple[Statement, str]:
        """Judge and prepare a reader's statement."""
        statement = session.read(asked.text)
        output_format = statement.format or asked.default_format
        judge_format(output_format)
        settings = self._limits.reader_settings(asked.settings, statement.settings)
        check_parameters(statement, asked.parameters)
        tables = self._guard.judge(statement, lambda: session.tree(statement, asked.parameters), asked.database)
        # system.settings tells clients what they may set, and under readonly = 1 it says: nothing.
        lists_settings = tables == _SETTINGS_TABLE and "(" not in statement.text
        readonly = _READONLY_BUT_FOR_SETTINGS if lists_settings else _READONLY
        session.prepare(settings, asked.database, readonly=readonly)
        return statement, output_format

    def _run_for_admin(self, asked: SqlRequest, session: Session, output: Output) -> Figures:
        statement = self._prepare(session, asked)
        output.format = (statement and statement.format) or asked.default_format
        return _run(session, statement, asked, output)

    def _prepare(self, session: Session, asked: SqlRequest) -> Statement | None:
        """Prepare an administrator's statement; None for one that is run as it was written."""
        takes_body = statement = _read_with_data_behind(session, asked)
        try:
            statement = statement or session.read(asked.text)
        except SqlError:
            if not asked.changes:
                raise
            # An INSERT with its data behind it is more than its syntax tree.
            statement = None
        if not asked.changes and statement is not None and not statement.reads:
            raise SqlError(
                164, "READONLY", "Cannot execute query in readonly mode: for what changes data, use POST, not GET"
            )
        if statement is not None and not statement.reads and statement is not takes_body:
            # It runs as it was written: the settings at the end of a CREATE TABLE, say, belong to the table.
            statement = None
        settings = statement.settings if statement is not None else {}
        readonly = None if asked.changes else _READONLY_BUT_FOR_SETTINGS
        session.prepare(admin_settings(asked.settings, settings), asked.database, readonly=readonly)
        return statement

    async def _send_to_reader(self, result: Result, asked: SqlRequest, send: Send) -> None:
        reading = self._reading[result.mark] = _Reading(
            asyncio.create_task(send_result(result, asked, self._engine, send))
        )
        try:
            await reading.task
        except asyncio.CancelledError:
            if reading.ended:
                raise SqlError(
                    241,
                    "MEMORY_LIMIT_EXCEEDED",
                    "Memory limit exceeded: the query was ended because ingest needed its memory; try again later",
                ) from None
            raise
        finally:
            del self._reading[result.mark]

    @contextlib.asynccontextmanager
    async def _result(self, work: Work, asked: SqlRequest, threads: Threads) -> AsyncIterator[Result]:
        result = Result(self._engine, work, threads)
        try:
            yield result
        finally:
            if await _to_the_end(result.close()):
                asked.close()


def _run(session: Session, statement: Statement | None, asked: SqlRequest, output: Output) -> Figures:
    """Write a result; ``statement`` is None for one that is run as it was written."""
    written_format = output.format
    if asked.protocol_version and output.format == "Native" and statement is not None and statement.reads:
        output.blocks = NativeBlocks(session.columns(statement, asked.parameters), asked.protocol_version)
        written_format = BUFFERS
    if statement is not None and statement.streams:
        return session.stream(statement, written_format, asked.parameters, output.descriptor)
    if statement is not None and not statement.reads:
        asked.body.seek(0)
        return session.insert(statement, asked.body.fileno())
    text = statement.text.encode(errors="surrogateescape") if statement is not None else asked.text
    data, figures = session.answer(text, written_format, asked.parameters)
    write_all(output.descriptor, data)
    return figures


def _read_with_data_behind(session: Session, asked: SqlRequest) -> Statement | None:
    """The ``INSERT`` in the URL whose data is the body."""
    if not asked.query or not asked.body_size:
        return None
    with contextlib.suppress(SqlError):
        statement = session.read(asked.query)
        return statement if statement.inserts else None
    return None


_T = TypeVar("_T")


async def _to_the_end(closing: Awaitable[_T]) -> _T:
    """Wait for something that must not be given up half-way, however often this task is cancelled."""
    task = asyncio.ensure_future(closing)
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
    return task.result()


def _step_back() -> None:
    """Let the thread's work come after ingest's."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _simple_response(request: Request) -> Response | None:
    """The answers that need no engine and no key."""
    if request.url.path in ("/ping", "/replicas_status"):
        return PlainTextResponse("Ok.\n")
    if request.url.path != "/":
        return PlainTextResponse(
            "There is no such path; queries go to /?query=… or into the body of a POST to /\n", 404
        )
    if request.method not in ("GET", "HEAD", "POST"):
        return PlainTextResponse(f"{request.method} is not taken; use GET or POST\n", 405, {"Allow": "GET, HEAD, POST"})
    if request.method != "POST" and "query" not in request.query_params:
        return PlainTextResponse("Ok.\n")
    return None
