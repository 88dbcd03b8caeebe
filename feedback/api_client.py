"""Asking a hansei over HTTP, for what is made there: labeling, datasets, runs of evaluation."""

import json
import os
import time
from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import quote

from hansei.collector.errors import HanseiError
from hansei.feedback.http_exchange import DEFAULT_URL, HttpServer, NoAnswer, Reply

_TIMEOUT: Final = 120.0
"""Seconds for one answer."""
_PATIENCE: Final = 30.0
"""Seconds for which what cannot be taken or read now is asked again."""
_PASSING: Final = (429, 503)
"""Statuses after which the same request may succeed, and has changed nothing."""


class ApiClient:
    """The API at ``HANSEI_URL``, with the key of ``HANSEI_API_KEY``. What is made of it says which errors it raises."""

    error: ClassVar[type[HanseiError]] = HanseiError
    errors: ClassVar[Mapping[int, type[HanseiError]]] = {}
    """By status, where it is not ``error``."""

    def __init__(self, url: str | None = None, api_key: str | None = None) -> None:
        """Raises ``HanseiError`` where the URL is none."""
        name, given = ("url", url) if url else ("HANSEI_URL", os.environ.get("HANSEI_URL") or DEFAULT_URL)
        self.server = HttpServer.of(name, given, api_key or os.environ.get("HANSEI_API_KEY"))

    def url(self, path: str) -> str:
        """The address of a page."""
        return f"{self.server}{path}"

    def ask(self, method: str, *path: str, body: Mapping[str, Any] | None = None, query: str = "") -> Any:
        """What is answered; None where that is nothing. The parts of the path are escaped.

        Raises ``error``, or one of ``errors``.
        """
        reply = self.download(method, *path, body=body, query=query)
        if reply.status == 204:
            return None
        found = reply.json()
        if not isinstance(found, dict):
            raise self.error(f"{self.server} is no hansei: it answers no JSON; check HANSEI_URL")
        return found

    def download(self, method: str, *path: str, body: Mapping[str, Any] | None = None, query: str = "") -> Reply:
        """As :meth:`ask`, with the answer as it came."""
        # A colon may stand in a path as it is.
        address = "/api/v1/" + "/".join(quote(part, safe=":") for part in path) + (f"?{query}" if query else "")
        headers = {} if body is None else {"Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body, allow_nan=False).encode()
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                reply = self.server.ask(method, address, sent, headers, _TIMEOUT)
            except NoAnswer as error:
                raise self.error(f"{error}; start `hansei serve`, or set HANSEI_URL to where it runs") from error
            pause = _seconds(reply.headers.get("retry-after"))
            if reply.status not in _PASSING or time.monotonic() + pause > end:
                break
            time.sleep(pause)
        if reply.status >= 300:
            raise self._error(reply)
        return reply

    def _error(self, reply: Reply) -> HanseiError:
        problem = reply.json()
        if not isinstance(problem, dict) or not isinstance(problem.get("detail"), str):
            return self.error(f"{self.server} answers {reply.status}; check that HANSEI_URL is that of a hansei")
        detail = str(problem["detail"]).removeprefix("/")
        if reply.status in (401, 403):
            return self.error(f"{self.server} refuses: {detail}; set HANSEI_API_KEY to a key with the role")
        return self.errors.get(reply.status, self.error)(detail)


def _seconds(header: str | None) -> float:
    return float(header) if header is not None and header.isdigit() and len(header) < 6 else 1.0
