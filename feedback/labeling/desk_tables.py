"""Where desks read and write: few threads, whatever many requests there are."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, ParamSpec, TypeVar

from clickhouse_connect.driver.exceptions import ClickHouseError

from hansei.collector.store import Store, StoreUnavailable
from hansei.feedback.labeling.paper import Paper
from hansei.feedback.labeling.slots import NOTHING, Held
from hansei.feedback.labeling.statements import fill, statement
from hansei.feedback.web.reader import StoreAway

P = ParamSpec("P")
T = TypeVar("T")

WorkRow = tuple[str, str, Held]
"""An item, a reviewer, and what was done."""

_READERS: Final = 2
_WORK: Final = {
    "SessionId": "String", "ItemId": "String", "Reviewer": "String", "State": "LowCardinality(String)",
    "LeasedAt": "DateTime64(3, 'UTC')", "LeaseUntil": "DateTime64(3, 'UTC')", "Draft": "String", "Flag": "String",
    "Seconds": "Float32", "Written": "UInt64",
}  # fmt: skip
"""The columns of labeling_work, with their types, which an insert would ask for otherwise."""
_SETTINGS: Final = {"async_insert": 0, "insert_deduplicate": 0}


class DeskTables:
    """The tables, for desks. Thread-safe; every method blocks, and raises ``StoreAway``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="desk-reader")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="desk-writer")
        self._lock = threading.Lock()
        self._waiting: list[tuple[Sequence[Any], Future[None]]] = []

    def read(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do what reads, in one of the threads; not from one of them."""
        return self._readers.submit(work, *args, **kwargs).result()

    def columns(self, name: str, parameters: Mapping[str, object]) -> list[Sequence[Any]]:
        """The columns of what a statement finds; none where it finds nothing."""
        return self._read(statement(name), parameters)

    def work(self, name: str, **parameters: object) -> list[WorkRow]:
        """Rows of work, by one of the statements of it."""
        columns = self._read(fill(statement(name), columns=statement("columns_of_desk_work")), parameters)
        return [
            (
                item_id,
                reviewer,
                Held(state, leased, until, flag, seconds, written, bool(submitting), NOTHING.paper if blank else None),
            )
            for item_id, reviewer, state, leased, until, flag, seconds, written, submitting, blank in zip(
                *columns, strict=True
            )
        ]

    def paper(self, session_id: str, item_id: str, reviewer: str) -> Paper:
        """What a reviewer has written of an item."""
        about = {"session_id": session_id, "item_id": item_id, "reviewer": reviewer}
        found = self.columns("desk_draft", about)
        return Paper.of_json(found[0][0]) if found else Paper()

    def write(self, session_id: str, item_id: str, reviewer: str, held: Held) -> None:
        """Add a row of work; answers once it is stored. What many write at the same time is one insert."""
        paper = held.paper or Paper()
        row = (
            session_id, item_id, reviewer, held.state, held.leased_ms, held.until_ms, paper.to_json(), held.flag,
            held.seconds, held.written,
        )  # fmt: skip
        stored: Future[None] = Future()
        with self._lock:
            self._waiting.append((row, stored))
        self._writer.submit(self._flush)
        stored.result()

    def _flush(self) -> None:
        """Insert what waits: all that came while the insert before was under way."""
        with self._lock:
            batch, self._waiting = self._waiting, []
        if not batch:
            return
        try:
            self._insert([row for row, _ in batch])
        except Exception as error:
            for _, stored in batch:
                stored.set_exception(error)
        else:
            for _, stored in batch:
                stored.set_result(None)

    def _insert(self, rows: Sequence[Sequence[Any]]) -> None:
        try:
            self._store.client().insert(
                "labeling_work", rows, column_names=list(_WORK), column_type_names=list(_WORK.values()),
                settings=_SETTINGS,
            )  # fmt: skip
        except StoreUnavailable as error:
            raise StoreAway(str(error)) from error
        except (ClickHouseError, OSError) as error:
            raise StoreAway(f"ClickHouse did not take what was to be written: {_first_line(error)}") from error

    def _read(self, sql: str, parameters: Mapping[str, object]) -> list[Sequence[Any]]:
        return self.read(self._columns, sql, parameters)

    def _columns(self, sql: str, parameters: Mapping[str, object]) -> list[Sequence[Any]]:
        try:
            return list(self._store.client().query(sql, dict(parameters), column_oriented=True).result_columns)
        except StoreUnavailable as error:
            raise StoreAway(str(error)) from error
        except (ClickHouseError, OSError) as error:
            raise StoreAway(f"ClickHouse did not answer: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
