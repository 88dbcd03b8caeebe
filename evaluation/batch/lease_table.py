"""Leases as they are stored: who may do what only one may do at a time. Inside the server."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from clickhouse_connect.driver.exceptions import ClickHouseError

from hansei.collector.store import Store, StoreUnavailable
from hansei.evaluation.errors import EvaluationConflict
from hansei.evaluation.statements import statement
from hansei.feedback.web.reader import StoreAway
from hansei.feedback.web.tables import Tables

PutTerm = Callable[[str, int, str, int], None]
"""Inserts a term of a lease, by name, term, holder and end (ms), unless somebody else has."""

_GRACE_MS: Final = 2_000
"""For which a term that has run out is not followed: its holder may be extending it."""
_ATTEMPTS: Final = 50
"""Looks for the row of a term, which another replica may have taken."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A term of a lease. Times in milliseconds since 1970, by the store's clock."""

    name: str
    term: int
    holder: str
    until_ms: int
    now_ms: int


class Leases:
    """Gives leases. Several of them over one store, in any processes, never give a term twice. Thread-safe."""

    def __init__(self, tables: Tables, put: PutTerm) -> None:
        self._tables = tables
        self._put = put

    def read(self, name: str) -> Lease | None:
        """Its last term; None where it was never taken."""
        rows = self._tables.query(statement("batch", "lease"), {"name": name})
        return _lease(name, rows[0]) if rows else None

    def take(self, name: str, holder: str, seconds: float) -> Lease:
        """The next term, or the one that the holder has, which is extended. Raises ``EvaluationConflict``."""
        last = self.read(name)
        if last is not None and last.holder == holder and last.until_ms > last.now_ms:
            return self.extend(name, holder, last.term, seconds)
        if last is not None and last.until_ms + _GRACE_MS > last.now_ms:
            raise _held(last)
        term = 1 if last is None else last.term + 1
        now_ms = self._now_ms() if last is None else last.now_ms
        self._put(name, term, holder, now_ms + int(seconds * 1000))
        taken = self._at_least(name, term)
        if taken.term != term or taken.holder != holder:
            raise _held(taken)
        return taken

    def extend(self, name: str, holder: str, term: int, seconds: float) -> Lease:
        """Have it for so many seconds from now. Raises ``EvaluationConflict`` where the term is over."""
        last = self._own(name, holder, term)
        self._write_end(name, term, last.now_ms + int(seconds * 1000))
        return self._own(name, holder, term)

    def release(self, name: str, holder: str, term: int) -> None:
        """End it. Raises ``EvaluationConflict`` where the term is over."""
        last = self._own(name, holder, term)
        self._write_end(name, term, last.now_ms - _GRACE_MS - 1)

    def _own(self, name: str, holder: str, term: int) -> Lease:
        last = self.read(name)
        if last is None or (last.term, last.holder) != (term, holder):
            raise EvaluationConflict(f"{holder!r} does not hold the term {term} of {name!r}; take it again")
        if last.until_ms <= last.now_ms:
            raise EvaluationConflict(f"the term {term} of {name!r} has run out; take it again")
        return last

    def _write_end(self, name: str, term: int, until_ms: int) -> None:
        columns = ("Name", "Term", "Until", "Written")
        self._tables.insert("evaluation_lease_terms", columns, [(name, term, until_ms, self._tables.clock.tick())])

    def _at_least(self, name: str, term: int) -> Lease:
        for _ in range(_ATTEMPTS):
            found = self.read(name)
            if found is not None and found.term >= term:
                return found
            time.sleep(0.1)
        raise StoreAway(f"the store does not show who holds {name!r}; ask again")

    def _now_ms(self) -> int:
        (row,) = self._tables.query(statement("batch", "now"), {})
        return int(row["NowMs"])


def leases_of(store: Store, tables: Tables) -> Leases:
    """Those of the server's store."""

    def put(name: str, term: int, holder: str, until_ms: int) -> None:
        settings = {"async_insert": 0, "insert_deduplicate": 1, "insert_deduplication_token": f"{name}\n{term}"}
        columns = ("Name", "Term", "Holder", "Until")
        try:
            row = (name, term, holder, until_ms)
            store.client().insert("evaluation_leases", [row], column_names=columns, settings=settings)
        except StoreUnavailable as error:
            raise StoreAway(str(error)) from error
        except ClickHouseError as error:
            said = str(error).strip().splitlines()[0][:300]
            raise StoreAway(f"ClickHouse did not take the lease: {said}") from error

    return Leases(tables, put)


def _lease(name: str, row: Mapping[str, Any]) -> Lease:
    return Lease(name, row["Term"], row["Holder"], row["UntilMs"], row["NowMs"])


def _held(lease: Lease) -> EvaluationConflict:
    left = max(lease.until_ms - lease.now_ms, 0) / 1000
    return EvaluationConflict(f"{lease.holder!r} holds {lease.name!r}, for {left:.0f} s more unless it goes on")
