"""Created keys in a ClickHouse server, for all collectors in front of it."""

import threading
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from hansei.collector.errors import StoreError
from hansei.collector.key_file import KeyFile
from hansei.collector.keys import Principal, StoredKey

if TYPE_CHECKING:
    from hansei.collector.store import ServerStore

_UNKNOWN_TABLE: Final = 60


class KeyTable:
    """The table ``hansei_keys``."""

    def __init__(self, store: "ServerStore") -> None:
        self._store = store

    def read(self) -> dict[str, StoredKey]:
        """Every key, by id. Raises :class:`StoreError`."""
        return {row[0]: _key(*row) for row in self._run("hansei_keys", {})}

    def put(self, key: StoredKey) -> None:
        """Keep a new key, or one that is revoked. Raises :class:`StoreError`."""
        self._run(
            "put_hansei_key",
            {
                "key_id": key.key_id,
                "name": key.principal.name,
                "roles": sorted(key.principal.roles),
                "sha256": key.digest.hex(),
                "created": key.created,
                "expires": key.expires or 0,
                "revoked": key.revoked or 0,
            },
        )

    def _run(self, name: str, parameters: dict[str, Any]) -> list[Any]:
        from clickhouse_connect.driver.exceptions import ClickHouseError

        sql = files("hansei.collector.queries").joinpath(f"{name}.sql").read_text().rstrip().rstrip(";")
        client = self._store.client()
        try:
            if not parameters:
                return list(client.query(sql).result_rows)
            client.command(sql, parameters)
            return []
        except ClickHouseError as error:
            if getattr(error, "code", None) == _UNKNOWN_TABLE:
                raise StoreError(
                    f"ClickHouse at {self._store.name} has no table hansei_keys yet; make it with "
                    "`hansei migrate --clickhouse URL`"
                ) from error
            raise StoreError(
                f"the keys in ClickHouse at {self._store.name} cannot be used: "
                f"{str(error).strip().splitlines()[0][:300]}"
            ) from error


class KeysOfTable:
    """The keys of a table, read again every few seconds; those that were known last stay while the server is away.

    A copy in the data folder makes them known to a collector that starts meanwhile.
    """

    _SECONDS: Final = 2.0
    """Between two looks, which take a millisecond or two."""

    def __init__(self, table: KeyTable, copy: KeyFile, stopping: threading.Event, warn: Callable[[str], None]) -> None:
        """Read the copy. ``stopping`` ends the thread; ``warn`` is told when the table can be read no more."""
        self._table, self._copy, self._stopping, self._warn = table, copy, stopping, warn
        self._known: Mapping[str, StoredKey] = copy.read()
        self._copied = self._known
        self.problem: str | None = None
        """Why the table could not be read the last time."""
        self._thread = threading.Thread(target=self._run, name="key-reader", daemon=True)

    def current(self) -> Mapping[str, StoredKey]:
        """See :class:`~hansei.collector.keys.KeySource`."""
        return self._known

    def exist(self) -> bool:
        """See :class:`~hansei.collector.keys.KeySource`."""
        return bool(self._known)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Return once it has ended; ``stopping`` must be set."""
        if self._thread.ident is not None:
            self._thread.join()

    def look(self) -> None:
        """Read the table."""
        try:
            self._known = known = self._table.read()
            if known != self._copied:
                self._copy.write(known.values())
                self._copied = known
            self.problem = None
        except Exception as error:
            # Whatever it was, a key that is revoked must be noticed once the table can be read again.
            if self.problem is None:
                self._warn(f"{error}; the keys that were known last stay in use")
            self.problem = str(error)

    def _run(self) -> None:
        while not self._stopping.wait(self._SECONDS):
            self.look()


def _key(
    key_id: str, name: str, roles: list[str], sha256: str, created: int, expires: int | None, revoked: int | None
) -> StoredKey:
    return StoredKey(Principal(key_id, name, frozenset(roles)), bytes.fromhex(sha256), created, expires, revoked)
