"""HTTP as ClickHouse's clients speak it, for the tests of the SQL endpoint."""

import contextlib
import ctypes
import http.client
from dataclasses import dataclass
from urllib.parse import urlencode

from hansei.collector.address import Address


def _keeps_text() -> bool:
    try:
        ctypes.pythonapi.PyErr_SetString(ctypes.py_object(RuntimeError), b"\xff")
    except UnicodeDecodeError:
        return True
    except RuntimeError:
        pass
    return False


KEEPS_TEXT = _keeps_text()
"""Whether this Python keeps an extension module's error text that is not UTF-8; early releases of 3.11 do not."""
ADMIN = {"X-ClickHouse-User": "admin", "X-ClickHouse-Key": "sesame"}
PATIENCE = 60.0


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> int | None:
        """ClickHouse's code of an error, which stands in the header and in the body."""
        code = self.headers.get("x-clickhouse-exception-code")
        if code is None:
            return None
        assert self.body == b"" or self.body.startswith(f"Code: {code}. DB::Exception: ".encode())
        return int(code)


class Sql:
    """Somebody who speaks HTTP, a connection a request."""

    def __init__(self, address: Address) -> None:
        self.address = address

    def send(
        self, method: str, body: bytes | None = None, headers: dict[str, str] | None = None, path: str = "/", **url: str
    ) -> Reply:
        """One request; ``url`` has its parameters."""
        connection = http.client.HTTPConnection(self.address.host, self.address.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, f"{path}?{urlencode(url)}" if url else path, body, headers or {})
            answer = connection.getresponse()
            got = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, got, answer.read())

    def get(self, query: str, headers: dict[str, str] | None = None, **url: str) -> Reply:
        """The query in the URL."""
        return self.send("GET", None, headers, query=query, **url)

    def post(self, body: bytes | str, headers: dict[str, str] | None = None, **url: str) -> Reply:
        """The query, or the rest of it, in the body."""
        return self.send("POST", body.encode() if isinstance(body, str) else body, headers, **url)

    def admin(self, body: bytes | str, **url: str) -> bytes:
        """The result of an administrator's statement."""
        reply = self.post(body, ADMIN, **url)
        assert reply.status == 200, reply.body
        return reply.body
