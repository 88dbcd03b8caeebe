"""What the tests of browser feedback share: a collector that asks for keys, pages on other origins, and a browser."""

import json
import re
import socket
import subprocess
import sys
import threading
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

import hansei

# The tests are no package whose name could be written out.
from ..collector.processes import Serving, clean_environment  # noqa: TID252
from ..collector.waiting import PATIENCE  # noqa: TID252

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
API_KEY = "a long random text"


@pytest.fixture(scope="session")
def page_port() -> int:
    """A port that is free: the collector must know the page's origin before the page is there."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


class Shop(ThreadingHTTPServer):
    """A web server with one page, at every path."""

    daemon_threads = True
    body = ""
    policy = ""


class _Handler(BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", self.server.policy)
        self.end_headers()
        self.wfile.write(self.server.body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, the name is the base class's
        """Keep quiet."""


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    """A page of a test's own."""
    with Shop(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory, page_port: int, shop: Shop) -> Iterator[Serving]:
    """A collector that every test uses; none may stop it."""
    data = tmp_path_factory.mktemp("browser") / "data"
    pages = [f"http://127.0.0.1:{port}" for port in (page_port, shop.server_port)]
    origins = ", ".join([*pages, "https://chat.example.com"])
    running = Serving(data, f"--feedback-origins={origins}", "--segment-age=20ms", HANSEI_API_KEY=API_KEY)
    yield running
    running.close()


class Ledger:
    """What has come to the tables."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The result of a query, once what was acknowledged is stored."""
        self._serving.wait_stored()
        request = urllib.request.Request(
            f"http://{self._serving.sql}/", f"{sql} FORMAT JSONEachRow".encode(), {"X-ClickHouse-Key": API_KEY}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return [json.loads(line) for line in answer.read().splitlines()]

    def feedback(self, trace_id: str) -> list[tuple[Any, ...]]:
        """Name, value, rationale and source of what holds of a trace."""
        columns = "Name, Value, Rationale, SourceType, SourceId"
        rows = self.rows(f"SELECT {columns} FROM feedback WHERE TraceId = '{trace_id}' ORDER BY Name, SourceId")
        return [tuple(row.values()) for row in rows]

    def history(self, trace_id: str) -> list[tuple[Any, ...]]:
        """Event, name and value of everything that was said of a trace."""
        rows = self.rows(f"SELECT Event, Name, Value FROM feedback_history WHERE TraceId = '{trace_id}'")
        return [tuple(row.values()) for row in rows]


@pytest.fixture(scope="session")
def ledger(serving: Serving) -> Ledger:
    """The tables."""
    return Ledger(serving)


@pytest.fixture
def trace_id() -> str:
    """One that was never used."""
    return uuid.uuid4().hex


def token_for(trace_id: str, **given: Any) -> str:
    """A token that the collector takes."""
    return hansei.feedback_token(trace_id, **{"user": "ana", "api_key": API_KEY, **given})


@dataclass(frozen=True)
class Answer:
    """What the endpoint answers."""

    status: int
    body: Any
    headers: Mapping[str, str]


Call = Callable[..., Answer]


@pytest.fixture(scope="session")
def call(serving: Serving) -> Call:
    """``call(method, token, body, path="", **headers)``: one request, as a script of a page sends it."""

    def send(method: str, token: str | None, body: object = None, path: str = "", **headers: str) -> Answer:
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            given["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(f"{serving.ui}/api/v1/feedback{path}", content, given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                found = answer.read()
                return Answer(answer.status, json.loads(found) if found else None, answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.loads(error.read() or b"null"), error.headers)

    return send


@pytest.fixture(scope="session")
def chat_page(serving: Serving, page_port: int) -> Iterator[str]:
    """The address of the example, run as a newcomer runs it."""
    sys.path.insert(0, str(EXAMPLES))
    import model_server

    sys.path.remove(str(EXAMPLES))
    with model_server.serve(latency=0) as url:
        variables = {
            "OPENAI_BASE_URL": url, "OPENAI_API_KEY": "none", "HANSEI_URL": serving.ui, "HANSEI_API_KEY": API_KEY,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{serving.grpc}", "OTEL_BSP_SCHEDULE_DELAY": "100",
        }  # fmt: skip
        command = [sys.executable, str(EXAMPLES / "chat_page.py"), f"--port={page_port}"]
        with subprocess.Popen(command, env=clean_environment(variables), stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr
            found = (re.search(r"running on (http://\S+)", line) for line in process.stderr)
            yield next(match[1] for match in found if match)
            process.terminate()
            process.stderr.read()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """An empty page with cookies of its own; nothing on it may throw, or be stopped by a content security policy."""
    context = chromium.new_context(locale="en-GB")
    context.set_default_timeout(10_000)
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda said: problems.append(said.text) if "Content Security" in said.text else None)
    yield opened
    context.close()
    assert problems == []
