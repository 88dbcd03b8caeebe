"""Tables of rows that are written whole, inside the server: of labeling and evaluation.

Rows are written whole: of two rows with the same key the one counts whose ``Written`` is larger. Who reads a row and
writes another in its place does both within ``turn``, so that no other thread writes in between.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from clickhouse_connect.driver.exceptions import ClickHouseError

from hansei.collector.store import Store, StoreUnavailable
from hansei.feedback.clock import EventClock
from hansei.feedback.search.connection import Query
from hansei.feedback.web.reader import StoreAway

Insert = Callable[[str, Sequence[str], Sequence[Sequence[Any]]], None]
"""Adds rows to a table, by its name, the names of the columns and the rows."""

_SETTINGS: Final = {"async_insert": 0}
"""An insert answers once it is stored."""


@dataclass(frozen=True)
class Tables:
    """Reads and writes them. Thread-safe."""

    query: Query
    insert: Insert
    """Raises :class:`~hansei.feedback.web.reader.StoreAway`."""
    clock: EventClock = field(default_factory=EventClock)
    """Of ``Written`` and of ``Position``: nanoseconds that only grow."""
    turn: threading.RLock = field(default_factory=threading.RLock)


def tables_of(store: Store, query: Query) -> Tables:
    """Those of the server's store."""

    def insert(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        if not rows:
            return
        try:
            store.client().insert(table, rows, column_names=columns, settings=_SETTINGS)
        except StoreUnavailable as error:
            raise StoreAway(str(error)) from error
        except ClickHouseError as error:
            said = str(error).strip().splitlines()[0][:300]
            raise StoreAway(f"ClickHouse did not take what was to be written: {said}") from error

    return Tables(query, insert)
