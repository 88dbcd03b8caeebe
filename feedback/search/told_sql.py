"""Where SQL is answered, by what the hansei at ``HANSEI_URL`` says (``GET /api/v1/server``)."""

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from hansei.feedback.http_exchange import DEFAULT_URL, HttpServer, InvalidUrl, NoAnswer, is_of_its_own
from hansei.feedback.search.errors import SearchError

if TYPE_CHECKING:
    from hansei.feedback.search.connection import SqlAddress

_PATIENCE: Final = 3.0
"""Seconds that an answer may take."""


@dataclass(frozen=True)
class ToldSql:
    """An address for SQL; None for a hansei that has none of its own."""

    host: str | None
    port: int
    secure: bool
    database: str

    def applied(self, guessed: "SqlAddress") -> "SqlAddress":
        """The address to use instead of one that was guessed. Raises :class:`SearchError`."""
        if self.host is None:
            raise SearchError(
                "this hansei keeps its data in a ClickHouse server; set HANSEI_SQL_URL to where that answers HTTP"
            )
        if is_of_its_own(self.host, guessed.host):
            return replace(guessed, port=self.port, database=self.database)
        return replace(guessed, host=self.host, port=self.port, secure=self.secure, database=self.database)


class Told:
    """What each hansei said, asked once a process; one that did not answer is asked again after a failure."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._known: dict[tuple[int, str, str], ToldSql | None] = {}

    def ask(self, environment: Mapping[str, str]) -> ToldSql | None:
        """What the hansei at ``HANSEI_URL`` says; None where it says nothing, or need not be asked."""
        if environment.get("HANSEI_SQL_URL"):
            return None
        url, key = environment.get("HANSEI_URL") or DEFAULT_URL, environment.get("HANSEI_API_KEY", "")
        asked = (os.getpid(), url, key)
        if asked not in self._known:
            answer = _ask(url, key)
            with self._turn:
                self._known[asked] = answer
        return self._known.get(asked)

    def forget(self) -> None:
        """Ask again next time: the server may have been started anew."""
        with self._turn:
            self._known = {}

    def renew(self) -> None:
        """Be usable in a process that was forked while another thread was at it."""
        self._turn = threading.Lock()


def _ask(url: str, key: str) -> ToldSql | None:
    try:
        reply = HttpServer.of("HANSEI_URL", url, key).ask("GET", "/api/v1/server", None, {}, _PATIENCE)
        if reply.status != 200:
            return None
        sql = reply.json()["sql"]
        if sql is None:
            return ToldSql(None, 0, False, "")
        parts = urlsplit(sql["url"])
        return ToldSql(parts.hostname or "", parts.port or 0, parts.scheme == "https", sql["database"])
    except (NoAnswer, InvalidUrl, LookupError, TypeError, AttributeError, ValueError):
        # One from before this path, or another program; a URL that is none is refused where it is used.
        return None


told_sql: Final = Told()
"""The process's."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=told_sql.renew)
