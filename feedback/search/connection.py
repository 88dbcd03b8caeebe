"""Where searches read: the SQL endpoint of a hansei, or a ClickHouse server."""

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from hansei.feedback.http_exchange import DEFAULT_URL
from hansei.feedback.search.errors import SearchError
from hansei.feedback.search.told_sql import ToldSql, told_sql

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

Query = Callable[[str, Mapping[str, object]], list[dict[str, Any]]]
"""What reads: the rows of a statement, by column. Raises :class:`SearchError`."""

SQL_PORT: Final = 8123
MISSING: Final = "searching needs clickhouse-connect and pandas: pip install 'hansei[notebook]'"

_WRONG_KEY: Final = ("Code: 516", "Code: 194", "AUTHENTICATION_FAILED", "REQUIRED_PASSWORD")


@dataclass(frozen=True)
class SqlAddress:
    """A server that speaks SQL, and who asks."""

    host: str
    port: int
    secure: bool
    username: str
    password: str
    database: str

    @classmethod
    def of(cls, environment: Mapping[str, str], told: "ToldSql | None" = None) -> "SqlAddress":
        """From ``HANSEI_SQL_URL``, else from what the hansei at ``HANSEI_URL`` ``told``, else port 8123 on its host.

        Raises :class:`SearchError`.
        """
        name = "HANSEI_SQL_URL" if environment.get("HANSEI_SQL_URL") else "HANSEI_URL"
        url = environment.get(name) or DEFAULT_URL
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if parts.scheme not in ("http", "https") or not host:
            raise SearchError(f"{name}: {_hidden(url)!r} is not a URL; write http://host:port")
        found = cls(
            host=host,
            port=(port or SQL_PORT) if name == "HANSEI_SQL_URL" else SQL_PORT,
            secure=parts.scheme == "https",
            username=unquote(parts.username or "default"),
            password=unquote(parts.password or "") or environment.get("HANSEI_API_KEY", ""),
            database=(parts.path.strip("/") if name == "HANSEI_SQL_URL" else "") or "default",
        )
        return found if told is None or name == "HANSEI_SQL_URL" else told.applied(found)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}"


def _hidden(url: str) -> str:
    """A URL without the password in it."""
    return url.rpartition("@")[2]


class Connections:
    """A client for each thread of each process and each address that it reads from."""

    def __init__(self) -> None:
        self._local = threading.local()

    def client(self) -> tuple["Client", SqlAddress]:
        """This thread's client. Raises :class:`SearchError`."""
        address = SqlAddress.of(os.environ, told_sql.ask(os.environ))
        process, known = getattr(self._local, "known", None) or (os.getpid(), None)
        if (process, known) != (os.getpid(), address):
            # What a forked process inherits is its parent's connection: it is left alone, not closed.
            if process == os.getpid():
                self.close()
            self._local.client = _connect(address)
            self._local.known = (os.getpid(), address)
        client: Client = self._local.client
        return client, address

    def query(self, sql: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        """The rows of a query, by column. Raises :class:`SearchError`."""
        client, address = self.client()
        from clickhouse_connect.driver.exceptions import ClickHouseError

        try:
            result = client.query(sql, parameters=dict(parameters))
            return list(result.named_results())
        except (ClickHouseError, OSError) as error:
            self.close()
            raise _explained(error, address) from error

    def close(self) -> None:
        """Close this thread's client; the next query opens another."""
        client = getattr(self._local, "client", None)
        self._local.known = None
        self._local.client = None
        if client is not None:
            client.close()


def _connect(address: SqlAddress) -> "Client":
    try:
        import clickhouse_connect
        from clickhouse_connect.driver.exceptions import ClickHouseError
    except ImportError as error:
        raise SearchError(MISSING) from error
    try:
        return clickhouse_connect.get_client(
            host=address.host,
            port=address.port,
            secure=address.secure,
            username=address.username,
            password=address.password,
            database=address.database,
            autogenerate_session_id=False,
            client_name="hansei-search",
        )
    except (ClickHouseError, OSError) as error:
        raise _explained(error, address) from error


def _explained(error: Exception, address: SqlAddress) -> SearchError:
    text = " ".join(str(error).split())
    if any(sign in text for sign in _WRONG_KEY):
        return SearchError(f"{address} does not take the key for SQL; set HANSEI_API_KEY to one that may read")
    if "Code: " not in text:
        told_sql.forget()
        return SearchError(
            f"no SQL is answered at {address}; start `hansei serve`, or set HANSEI_SQL_URL to where it speaks SQL"
        )
    # ClickHouse repeats what was asked at the end.
    start = text.index("Code: ")
    return SearchError(f"ClickHouse refused the search: {text[start : start + 500]}")


connections: Final = Connections()
"""The process's connections for reading."""
