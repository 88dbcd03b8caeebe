"""One request to a hansei and its answer, with nothing but the standard library."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from hansei.collector.address import Address
from hansei.collector.errors import HanseiError

DEFAULT_URL: Final = "http://127.0.0.1:8600"


class NoAnswer(HanseiError):
    """Nothing was answered: no connection, or one that broke."""


class InvalidUrl(HanseiError, ValueError):
    """The address of a hansei is none."""


@dataclass(frozen=True)
class Reply:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes

    def json(self) -> Any:
        """Its JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True)
class HttpServer:
    """Where a hansei answers HTTP, and with which key it is asked."""

    secure: bool
    host: str
    port: int | None
    prefix: str
    """The path before ``/api``, behind a proxy."""
    api_key: str | None

    @classmethod
    def of(cls, name: str, url: str, api_key: str | None) -> "HttpServer":
        """From a URL; ``name`` is what it is called in an error. Raises :class:`InvalidUrl`."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            parts, host, port = urlsplit(""), None, None
        if parts.scheme not in ("http", "https") or not host:
            raise InvalidUrl(f"{name}: {url.rpartition('@')[2]!r} is not a URL; write http://host:port")
        key = api_key or unquote(parts.password or "") or None
        return cls(parts.scheme == "https", host, port, parts.path.rstrip("/"), key)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        return f"{'https' if self.secure else 'http'}://{host}{port}{self.prefix}"

    def ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], timeout: float) -> Reply:
        """Send a request on a connection of its own; ``timeout`` in seconds. Raises :class:`NoAnswer`."""
        kind = http.client.HTTPSConnection if self.secure else http.client.HTTPConnection
        connection = kind(self.host, self.port, timeout=timeout)
        sent = {"Authorization": f"Bearer {self.api_key}", **headers} if self.api_key else dict(headers)
        try:
            connection.request(method, self.prefix + path, body, sent)
            answer = connection.getresponse()
            received = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, received, answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"{self} does not answer: {error or type(error).__name__}") from error
        finally:
            connection.close()


def is_of_its_own(told: str, asked: str) -> bool:
    """Whether a host that was told is the machine's own name for itself, which is another machine here.

    ``asked``: the host that told it. What forwards the one port may forward the other.
    """
    return Address(told, 0).is_loopback and not Address(asked, 0).is_loopback
