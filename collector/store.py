"""The one owner of the connection to ClickHouse: the embedded engine or a server, behind the same calls."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

from clickhouse_connect.driver.exceptions import ClickHouseError

from hansei.collector.deduplication_log import forget_lost_parts
from hansei.collector.errors import ConfigurationError, StoreError
from hansei.collector.signals import Signal

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

ENGINE_OPTIONS = {
    "mark_cache_size": 256 * 1024**2,
    "uncompressed_cache_size": 0,
    "max_server_memory_usage": 900 * 1024**2,
    "background_pool_size": 2,
    "background_schedule_pool_size": 8,
    # Merges take what ingest and queries leave; past 1 000 parts ClickHouse slows inserts down by itself.
    "os_threads_nice_value_merge_mutate": 19,
    # A look-up by id first asks the filters of all parts, then reads. To do both at a time takes a third longer.
    "use_skip_indexes_on_data_read": 0,
}
"""Settings of the embedded engine (bytes, threads); its own defaults suit a machine with nothing else to do."""

INSERT_SETTINGS = {
    # Which member of an AnyValue was set, so that a zero is told from an absence.
    "input_format_protobuf_oneof_presence": 1,
    # An insert answers once it is stored, and is known again by its token in every table it reaches.
    "async_insert": 0,
    "insert_deduplicate": 1,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    # A segment is read whole before any of it is stored, goes through the views in small blocks, which bounds
    # memory, and becomes one part. How it is cut is part of what a token names: these must not change between
    # an insert and its repetition.
    "max_threads": 1,
    "max_insert_threads": 1,
    "max_block_size": 4000,
    # Nearly every attribute takes the first branch of the mapping: to compute the others for all costs less than to
    # sort out for which. What is compiled would be thrown away with the insert's plan.
    "short_circuit_function_evaluation": "disable",
    "compile_expressions": 0,
    # The mapping's plan is what it should be as it is written: to look for a better one is a tenth of a small insert.
    "query_plan_enable_optimizations": 0,
    "min_insert_block_size_rows": 1_000_000_000,
    "min_insert_block_size_bytes": 1 << 40,
    "min_insert_block_size_rows_for_materialized_views": 1_000_000_000,
    "min_insert_block_size_bytes_for_materialized_views": 1 << 40,
    # A mapped segment would count as the collector's memory, page for page.
    "storage_file_read_method": "pread",
    # The indexes over all attributes are built when parts are merged, off the path of ingest; until then the few
    # newest parts are read without them.
    "exclude_materialize_skip_indexes_on_insert": (
        "idx_user_id,idx_res_attr_key,idx_res_attr_value,idx_span_attr_key,idx_span_attr_value,"
        "idx_scope_attr_key,idx_scope_attr_value,idx_log_attr_key,idx_log_attr_value"
    ),
    # Clocks are wrong: one request may touch any number of days.
    "max_partitions_per_insert_block": 0,
}
"""What every insert of a segment is run with."""

_FRUGAL = tuple({"max_block_size": rows, "short_circuit_function_evaluation": "enable"} for rows in (8, 1))
"""For a segment that memory did not suffice for: spans with thousands of attributes, mapped a few at a time.

What reaches the tables is the same one block, so the token still names it."""
_MEMORY_LIMIT_EXCEEDED = 241

_POISON_CODES = frozenset({6, 26, 27, 32, 33, 38, 41, 53, 69, 70, 72, 117, 128, 131, 190, 321, 349, 436, 444})
"""ClickHouse's errors that speak of the data, raised while it is parsed: trying again cannot help."""
_POISON_TEXT = "Invalid protobuf data"
"""What tells BAD_ARGUMENTS about the data (a oneof with two members) from one about anything else."""


class Poison(StoreError):
    """The engine read a segment and refused what is in it; trying again cannot help."""


class StoreUnavailable(StoreError):
    """The store did not take an insert now (away, overloaded, out of space); the same insert may succeed later."""


class OutOfMemory(StoreUnavailable):
    """The engine has not the memory for an insert now; nothing of it is stored."""


class Store(Protocol):
    """What the collector needs of ClickHouse."""

    name: str
    """How people know this store: a folder or an address, without a password."""

    def client(self) -> "Client":
        """This thread's clickhouse-connect client. Raises :class:`StoreUnavailable`."""

    def insert(self, signal: Signal, path: Path, token: str) -> None:
        """Insert a file of length-delimited requests, once per ``token`` however often it is tried.

        Raises :class:`Poison`, :class:`OutOfMemory` or :class:`StoreUnavailable`.
        """

    def close(self) -> None:
        """Close every client."""


class _Clients:
    """A client a thread: one client a thread inserts about three times as fast as a shared one."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._all: list[Client] = []
        self._lock = threading.Lock()

    def get(self, make: Any) -> "Client":
        client: Client | None = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = make()
            with self._lock:
                self._all.append(client)
        return client

    def close(self) -> None:
        with self._lock:
            for client in self._all:
                client.close()
            self._all.clear()


class EmbeddedStore:
    """The ClickHouse engine inside this process, over a folder. One process can open a folder at a time."""

    def __init__(self, directory: Path) -> None:
        """Open or create the data in ``directory``, which this process holds and has not open yet.

        Raises :class:`StoreError` with the reason in words.
        """
        self.directory = directory
        self.name = str(directory)
        self._clients = _Clients()
        try:
            directory.mkdir(parents=True, exist_ok=True)
            forget_lost_parts(directory)
            self.client()
        except OSError as error:
            raise StoreError(f"the data folder {directory} cannot be used: {error.strerror}") from error
        except ClickHouseError as error:
            raise StoreError(f"the data in {directory} cannot be opened: {_first_line(error)}") from error

    @property
    def connection_string(self) -> str:
        """What ``chdb.connect`` takes to reach the same engine from this process."""
        from clickhouse_connect.driver._chdbclient import build_connection_string

        return build_connection_string(str(self.directory), ENGINE_OPTIONS)

    def client(self) -> "Client":
        """See :class:`Store`."""
        return self._clients.get(self._connect)

    def _connect(self) -> "Client":
        import clickhouse_connect

        return clickhouse_connect.get_client(interface="chdb", path=str(self.directory), chdb_options=ENGINE_OPTIONS)

    def insert(self, signal: Signal, path: Path, token: str) -> None:
        """See :class:`Store`."""
        fixed = {
            "format_schema": f"{signal.reading_schema_path}:{signal.message}",
            "insert_deduplication_token": token,
        }

        def attempt(settings: dict[str, Any]) -> None:
            clause = ", ".join(f"{key} = {_literal(value)}" for key, value in (settings | fixed).items())
            self.client().command(
                f"INSERT INTO {signal.table} FROM INFILE {_literal(str(path))} SETTINGS {clause} FORMAT Protobuf"
            )

        _insert(attempt)

    def close(self) -> None:
        """See :class:`Store`."""
        self._clients.close()


class ServerStore:
    """A ClickHouse server or cluster over HTTP."""

    def __init__(self, url: str) -> None:
        """``http[s]://user:password@host:port/database``. Raises :class:`ConfigurationError`; does not connect."""
        try:
            parts = urlsplit(url)
            port = parts.port
            valid = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            valid = False
        if not valid:
            raise ConfigurationError(
                f"clickhouse: {_without_password(url)!r} is not the address of a ClickHouse server; "
                "write http://user:password@host:8123/database (or https://…:8443/…)"
            )
        self.database = unquote(parts.path.strip("/")) or "default"
        self.name = f"{parts.scheme}://{parts.hostname}:{port or _DEFAULT_PORTS[parts.scheme]}/{self.database}"
        self._options: dict[str, Any] = {
            "interface": parts.scheme,
            "host": parts.hostname,
            "port": port or _DEFAULT_PORTS[parts.scheme],
            "username": unquote(parts.username or "default"),
            "password": unquote(parts.password or ""),
            "autogenerate_session_id": False,
        }
        self._clients = _Clients()

    def client(self) -> "Client":
        """See :class:`Store`."""
        try:
            return self._clients.get(self._connect)
        except ClickHouseError as error:
            raise self._unreachable(error) from error

    def _connect(self) -> "Client":
        import clickhouse_connect

        return clickhouse_connect.get_client(**self._options, database=self.database)

    def create_database(self) -> None:
        """Create the database where it is missing.

        Raises :class:`StoreUnavailable`, or :class:`StoreError` for a server that is too old.
        """
        import clickhouse_connect

        try:
            with clickhouse_connect.get_client(**self._options) as client:
                if "format_schema_source" not in client.server_settings:
                    raise StoreError(
                        f"ClickHouse at {self.name} is {client.server_version}; hansei needs 25.6 or later, "
                        "which takes a Protobuf schema with an insert"
                    )
                client.command("CREATE DATABASE IF NOT EXISTS {database:Identifier}", {"database": self.database})
        except ClickHouseError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: ClickHouseError) -> StoreError:
        kind = StoreError if _code(error) in _CREDENTIAL_CODES else StoreUnavailable
        return kind(f"ClickHouse at {self.name} refused or did not answer: {_first_line(error)}")

    def insert(self, signal: Signal, path: Path, token: str) -> None:
        """See :class:`Store`."""
        client = self.client()
        fixed = {
            "format_schema_source": "string",
            "format_schema": signal.reading_schema_path.read_text(),
            "format_schema_message_name": signal.message,
            "insert_deduplication_token": token,
        }

        def attempt(settings: dict[str, Any]) -> None:
            # A server that does not know a setting yet has no other behaviour to turn off.
            known = {key: value for key, value in (settings | fixed).items() if key in client.server_settings}
            with path.open("rb") as body:
                client.raw_insert(signal.table, insert_block=body, fmt="Protobuf", settings=known)

        _insert(attempt)

    def close(self) -> None:
        """See :class:`Store`."""
        self._clients.close()


_DEFAULT_PORTS = {"http": 8123, "https": 8443}
_CREDENTIAL_CODES = frozenset({192, 193, 194, 497, 516})
"""Unknown user, wrong password, not allowed: waiting does not help."""


def _insert(attempt: Callable[[dict[str, Any]], None]) -> None:
    """Run an insert, again with little memory where that was short. Raises as :meth:`Store.insert` does."""
    for settings in (INSERT_SETTINGS, *(INSERT_SETTINGS | frugal for frugal in _FRUGAL)):
        try:
            attempt(settings)
        except ClickHouseError as error:
            failure = error
            if _code(error) != _MEMORY_LIMIT_EXCEEDED:
                break
        else:
            return
    raise _classified(failure) from failure


def _classified(error: ClickHouseError) -> StoreError:
    kind: type[StoreError] = StoreUnavailable
    if _code(error) in _POISON_CODES or (_code(error) == 36 and _POISON_TEXT in str(error)):
        kind = Poison
    elif _code(error) == _MEMORY_LIMIT_EXCEEDED:
        kind = OutOfMemory
    return kind(_first_line(error))


def _code(error: ClickHouseError) -> int | None:
    return getattr(error, "code", None)


def _first_line(error: BaseException) -> str:
    """What is wrong, without the layers between the network and the client that have each said it in their way."""
    root = error
    while root.__cause__ is not None:
        root = root.__cause__
    if isinstance(root, OSError) and root.strerror:
        return root.strerror
    return str(error).strip().split("\n", 1)[0][:500] or type(error).__name__


def _literal(value: object) -> str:
    """A ClickHouse string or number literal."""
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
