"""Somebody who asks the API of a collector."""

import http.client
import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from .collector.processes import Serving
from .collector.waiting import PATIENCE

KEY: Final = "open-sesame"
"""Of the collectors that these ask."""


@dataclass(frozen=True)
class Reply:
    """An answer."""

    status: int
    headers: dict[str, str]
    """By names in lower case."""
    text: str

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.text)

    @property
    def detail(self) -> str:
        """What a problem says."""
        assert self.headers["content-type"] == "application/problem+json", self.text
        return str(self.json["detail"])


class Api:
    """Somebody at the API, with a key or without."""

    def __init__(self, serving: Serving, key: str | None = KEY) -> None:
        self.serving = serving
        self.key = key

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """One request on a connection of its own; bytes are sent as they are, anything else as JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key:
            sent.setdefault("Authorization", f"Bearer {self.key}")
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        parts = urlsplit(self.serving.ui)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
        try:
            data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            connection.request(method, f"/api/v1{path}", data, sent)
            answer = connection.getresponse()
            received = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, received, answer.read().decode())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        """Read."""
        return self.ask("GET", path, **headers)

    def post(self, body: Any, path: str = "/assessments", **headers: str) -> Reply:
        """Send; an assessment, where nothing else is said."""
        return self.ask("POST", path, body, **headers)

    def done(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of what must be answered well."""
        reply = self.ask(method, path, body)
        assert reply.status in (200, 201, 204), reply.text
        return reply.json if reply.status != 204 else None

    def items(self, path: str) -> Any:
        """The items of a list, which must be there."""
        return self.done("GET", path)["items"]

    def say(self, *assessments: dict[str, Any]) -> None:
        """Record assessments, and wait until they are stored."""
        self.done("POST", "/assessments:batch", list(assessments))
        self.serving.wait_stored()

    def history(self, trace_id: str, assessment_id: str) -> list[dict[str, Any]]:
        """The events of an assessment."""
        found: list[dict[str, Any]] = self.items(f"/assessments/{assessment_id}/history?trace_id={trace_id}")
        return found
