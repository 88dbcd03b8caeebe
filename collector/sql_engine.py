"""Runs statements in the embedded engine: a handle a request, its result written into a pipe as it comes."""

import contextlib
import itertools
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import chdb

from hansei.collector.sql_errors import SqlError
from hansei.collector.sql_native import Columns, read_columns, read_header
from hansei.collector.sql_statement import Statement

MARK = "log_comment"
"""The setting that tells one request's query from all others, in ``system.processes``."""


@dataclass(frozen=True)
class Figures:
    """What a statement read and wrote."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    seconds: float = 0.0


class Engine:
    """The engine that the collector's store has opened, for requests that come over HTTP. Thread-safe."""

    def __init__(self, connection_string: str) -> None:
        """``connection_string``: of a store that is open in this process."""
        self._connection_string = connection_string
        self._control = chdb.connect(connection_string)
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self.version, self.timezone = self.ask("SELECT version(), timezone()")[0]

    def mark(self) -> str:
        """A name for one request's query that no other has."""
        return f"hansei-{next(self._numbers)}"

    def session(self, mark: str) -> "Session":
        """A handle of its own, for one request; its query gets the mark. Raises :class:`SqlError`."""
        try:
            return Session(chdb.connect(self._connection_string), mark)
        except Exception as error:
            raise SqlError.from_engine(error) from error

    def ask(self, sql: str) -> list[list[str]]:
        """The rows of a query of the endpoint's own, as escaped text. Raises :class:`SqlError`."""
        try:
            with self._lock:
                text = self._control.query(sql, "TabSeparated").bytes().decode(errors="replace")
        except Exception as error:
            raise SqlError.from_engine(error) from error
        return [line.split("\t") for line in text.split("\n") if line]

    def memory(self) -> dict[str, int]:
        """Bytes that the sessions' queries hold, by their marks. Raises :class:`SqlError`."""
        rows = self.ask(f"SELECT Settings['{MARK}'], memory_usage FROM system.processes")
        return {mark: int(held) for mark, held in rows}

    def kill(self, mark: str) -> None:
        """Ask the query of a session to stop; nothing happens where it has none, or memory is short even for that."""
        with contextlib.suppress(SqlError):
            self.ask(f"KILL QUERY WHERE Settings['{MARK}'] = '{mark}' ASYNC")

    def close(self) -> None:
        """Give up the handle."""
        with self._lock:
            self._control.close()


class Session:
    """One request's handle. Every method raises :class:`SqlError` with what the engine said."""

    def __init__(self, handle: Any, mark: str) -> None:
        self._handle = handle
        self.mark = mark

    def read(self, sql: bytes) -> Statement:
        """The statement as the engine reads it."""
        return Statement.read(
            self._ask(b"SELECT formatQuerySingleLine(" + literal(sql) + b")").decode(errors="surrogateescape")
        )

    def tree(self, statement: Statement, parameters: Mapping[str, str]) -> str:
        """The syntax tree, with identifiers that came as parameters filled in."""
        return self._ask(b"EXPLAIN AST " + _encoded(statement.text), parameters).decode(errors="surrogateescape")

    def prepare(self, settings: Mapping[str, bytes], database: str, *, readonly: int | None) -> None:
        """Set what the statement runs with, each value an SQL literal; ``readonly`` last, since it shuts the door."""
        values = {**settings, MARK: literal(self.mark.encode())}
        self._ask(b"SET " + b", ".join(b"%b = %b" % (name.encode(), value) for name, value in values.items()))
        self._ask(b"USE `%b`" % database.replace("\\", "\\\\").replace("`", "\\`").encode())
        if readonly is not None:
            self._ask(b"SET readonly = %d" % readonly)

    def stream(self, statement: Statement, output_format: str, parameters: Mapping[str, str], pipe: int) -> Figures:
        """Write the result into an open file descriptor, and answer once all of it is written."""
        sql = f"{statement.text} INTO OUTFILE '/dev/fd/{pipe}' TRUNCATE FORMAT {output_format}"
        return _figures(self._query(_encoded(sql), "Null", parameters))

    def answer(self, sql: bytes, output_format: str, parameters: Mapping[str, str]) -> tuple[bytes, Figures]:
        """The result of a statement that has a small one or none."""
        result = self._query(sql, output_format, parameters)
        return result.bytes(), _figures(result)

    def columns(self, statement: Statement, parameters: Mapping[str, str]) -> Columns:
        """Names and types of the result that the statement will have."""
        if statement.streams:
            described = _encoded(f"DESCRIBE ({statement.text})")
            return read_columns(self.answer(described, "RowBinaryWithNames", parameters)[0])
        return read_header(self.answer(_encoded(statement.text), "RowBinaryWithNamesAndTypes", parameters)[0])

    def insert(self, statement: Statement, data: int) -> Figures:
        """Run an ``INSERT`` with the data of an open file."""
        sql = f"{statement.text} FROM INFILE '/dev/fd/{data}' FORMAT {statement.format}"
        return _figures(self._query(_encoded(sql), "Null", {}))

    def close(self) -> None:
        """Give up the handle."""
        self._handle.close()

    def _ask(self, sql: bytes, parameters: Mapping[str, str] | None = None) -> bytes:
        result: bytes = self._query(sql, "TabSeparatedRaw", parameters or {}).bytes()
        return result.removesuffix(b"\n")

    def _query(self, sql: bytes, output_format: str, parameters: Mapping[str, str]) -> Any:
        try:
            return self._handle.query(sql, output_format, params=dict(parameters))
        except Exception as error:
            raise SqlError.from_engine(error) from error


def literal(value: bytes) -> bytes:
    """A string literal."""
    return b"'" + value.replace(b"\\", b"\\\\").replace(b"'", b"\\'") + b"'"


def _encoded(sql: str) -> bytes:
    return sql.encode(errors="surrogateescape")


def _figures(result: Any) -> Figures:
    return Figures(
        result.rows_read(), result.bytes_read(), result.rows_written(), result.bytes_written(), result.elapsed()
    )
