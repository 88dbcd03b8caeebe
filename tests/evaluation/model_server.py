"""An OpenAI-compatible API for tests: what its models answer is told by the test.

In a test's process it is a thread (:class:`ModelServer`); as a process of its own it prints its base URL and ends with
``SIGTERM``:

    python tests/evaluation/model_server.py --delay 0.05 --marker 'subject-[0-9]+'

It answers ``/v1/chat/completions`` (no streams), ``/v1/embeddings``, ``/v1/files`` and ``/v1/batches``; and
``GET /calls`` with how many chat requests came and were answered, by the marker in their prompt.
"""

import argparse
import asyncio
import base64
import hashlib
import json
import math
import re
import signal
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import httptools

MARKER = r"subject-[\w-]+"


@dataclass(frozen=True)
class Refused:
    """An answer that is an HTTP error."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "refused"


@dataclass(frozen=True)
class Delayed:
    """An answer that comes later; other requests do not wait for it."""

    seconds: float
    answer: Any = None
    """None: what the server answers by itself."""


@dataclass(frozen=True)
class Said:
    """A completion with numbers of its own."""

    content: Any
    """Text, or a dict that is sent as JSON text."""
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    finish_reason: str = "stop"


class Dropped:
    """The connection is closed without an answer."""


Answer = Callable[[dict[str, Any]], Any]
"""From the body of a chat request: text, a dict (as JSON text), Said, Refused, Delayed, Dropped(); an int is a status,
a float a delay in seconds before what the server answers by itself; None is what it answers by itself."""


def some_answer(body: dict[str, Any]) -> Any:
    """A right answer: by the schema of the response format where there is one, else a text."""
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
    return some_value(schema) if schema else "This is an answer."


def some_value(schema: Mapping[str, Any]) -> Any:
    """The simplest value of a JSON schema."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return some_value(schema["anyOf"][0])
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: some_value(each) for name, each in schema.get("properties", {}).items()}
    if kind == "array":
        return [some_value(schema.get("items", {}))] * schema.get("minItems", 1)
    return {"boolean": True, "integer": schema.get("minimum", 1), "number": schema.get("minimum", 1.0)}.get(
        kind, "because" if kind == "string" else None
    )


def vector_of(text: str, dimensions: int = 64) -> list[float]:
    """A unit vector of a text: the more words two texts share, the closer they are."""
    vector = [0.0] * dimensions
    for word in re.findall(r"\w+", text.lower()) or [text]:
        digest = hashlib.sha256(word.encode()).digest()
        vector[digest[0] % dimensions] += 1.0 if digest[1] % 2 else -1.0
    length = math.sqrt(sum(each * each for each in vector)) or 1.0
    return [each / length for each in vector]


class ModelServer:
    """The API, served by a thread on a port of its own until it is closed."""

    def __init__(
        self, answer: Answer | None = None, *, delay: float = 0.0, keep: bool = True, marker: str = MARKER
    ) -> None:
        """``delay``: seconds before each chat answer; ``keep``: whether :attr:`calls` is filled."""
        self.answer: Answer = answer or (lambda body: None)
        self.delay = delay
        self.calls: list[dict[str, Any]] = []
        """The bodies of chat requests, in the order in which they came."""
        self.headers: list[dict[str, str]] = []
        """Their headers, names in small letters."""
        self.asked: Counter[str] = Counter()
        """Chat requests that came, by marker."""
        self.answered: Counter[str] = Counter()
        """Chat requests to which an answer was written, by marker."""
        self.in_flight = 0
        self.most_in_flight = 0
        self.embedded: list[str] = []
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.batch_seconds = 0.0
        """How long a batch takes."""
        self.batch_ends = "completed"
        """As what: one that is ``expired`` has answered its first half, one that ``failed`` nothing."""
        self.batch_drops = 0
        """So many batches are created without an answer that says so."""
        self._keep = keep
        self._marker = re.compile(marker)
        self._ids = 0
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="model-server", daemon=True)
        self._connections: set[_Connection] = set()
        self._thread.start()
        self._started.wait(10)

    @property
    def url(self) -> str:
        """The base URL, with ``/v1``."""
        return f"http://127.0.0.1:{self.port}/v1"

    def clear(self) -> None:
        """Forget what was asked; answer as at first."""
        self.answer, self.delay = (lambda body: None), 0.0
        self.batch_seconds, self.batch_ends, self.batch_drops = 0.0, "completed", 0
        self.files.clear()
        self.batches.clear()
        self.calls.clear()
        self.headers.clear()
        self.asked.clear()
        self.answered.clear()
        self.embedded.clear()
        self.most_in_flight = 0

    def close(self) -> None:
        """Stop."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    def __enter__(self) -> "ModelServer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            self._loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, backlog=1024)
        )
        self.port: int = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        for connection in list(self._connections):
            connection.transport.abort()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def new_id(self, kind: str) -> str:
        """``file-1``, ``batch-2`` …"""
        self._ids += 1
        return f"{kind}-{self._ids}"

    # --- what is answered ---

    def handle(self, connection: "_Connection", method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        """Answer one request, now or later."""
        path = path.partition("?")[0]
        if path == "/v1/chat/completions" and method == "POST":
            self._chat(connection, headers, json.loads(body))
        elif path == "/v1/embeddings" and method == "POST":
            connection.send(200, self._embeddings(json.loads(body)))
        elif path == "/calls":
            connection.send(200, {"asked": dict(self.asked), "answered": dict(self.answered)})
        elif path.startswith("/v1/files"):
            self._files(connection, method, path.removeprefix("/v1/files").strip("/"), headers, body)
        elif path.startswith("/v1/batches"):
            self._batches(connection, method, path.removeprefix("/v1/batches").strip("/"), body)
        else:
            connection.send(404, _error(f"there is no {path}"))

    def _chat(self, connection: "_Connection", headers: dict[str, str], body: dict[str, Any]) -> None:
        key = self._count(headers, body)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        answer = self.answer(body)
        wait = self.delay
        if isinstance(answer, float):
            answer = Delayed(answer)
        if isinstance(answer, Delayed):
            wait += answer.seconds
            answer = answer.answer

        def finish() -> None:
            self.in_flight -= 1
            if isinstance(answer, Dropped):
                connection.transport.abort()
                return
            if connection.transport.is_closing():
                return
            self.answered[key] += 1
            connection.send(*self._completion(body, answer))

        if wait:
            self._loop.call_later(wait, finish)
        else:
            finish()

    def _count(self, headers: dict[str, str], body: dict[str, Any]) -> str:
        text = "\n".join(str(each.get("content", "")) for each in body.get("messages", ()))
        found = self._marker.search(text)
        key = found.group(0) if found else ""
        if self._keep:
            self.calls.append(body)
            self.headers.append(headers)
        self.asked[key] += 1
        return key

    def _completion(self, body: dict[str, Any], answer: Any) -> tuple[int, Any, Mapping[str, str]]:
        if isinstance(answer, int) and not isinstance(answer, bool):
            answer = Refused(answer)
        if isinstance(answer, Refused):
            return answer.status, _error(answer.message), answer.headers
        said = answer if isinstance(answer, Said) else Said(some_answer(body) if answer is None else answer)
        content = said.content if isinstance(said.content, str) else json.dumps(said.content)
        prompt = sum(len(str(each.get("content", ""))) for each in body.get("messages", ())) // 4
        tokens_in = prompt if said.input_tokens is None else said.input_tokens
        tokens_out = len(content) // 4 if said.output_tokens is None else said.output_tokens
        completion = {
            "id": self.new_id("chatcmpl"),
            "object": "chat.completion",
            "created": int(time.time()),
            "model": said.model or body.get("model", ""),
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": content, "refusal": None},
                    "logprobs": None,
                    "finish_reason": said.finish_reason,
                }
            ],
            "usage": {
                "prompt_tokens": tokens_in,
                "completion_tokens": tokens_out,
                "total_tokens": tokens_in + tokens_out,
            },
        }
        return 200, completion, {}

    def _embeddings(self, body: dict[str, Any]) -> dict[str, Any]:
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        self.embedded += texts
        data = []
        for index, text in enumerate(texts):
            vector: Any = vector_of(str(text), body.get("dimensions", 64))
            if body.get("encoding_format") == "base64":
                vector = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
            data.append({"object": "embedding", "index": index, "embedding": vector})
        tokens = sum(len(str(text)) for text in texts) // 4
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "data": data, "model": body.get("model", ""), "usage": usage}

    # --- files and batches ---

    def _files(self, connection: "_Connection", method: str, rest: str, headers: dict[str, str], body: bytes) -> None:
        file_id, _, what = rest.partition("/")
        if method == "POST" and not rest:
            file_id = self.new_id("file")
            self.files[file_id] = _part(headers["content-type"], body, "file")
            connection.send(200, self._file(file_id))
        elif file_id not in self.files:
            connection.send(404, _error(f"there is no file {file_id}"))
        elif what == "content":
            connection.send(200, self.files[file_id])
        elif method == "DELETE":
            del self.files[file_id]
            connection.send(200, {"id": file_id, "object": "file", "deleted": True})
        else:
            connection.send(200, self._file(file_id))

    def _file(self, file_id: str) -> dict[str, Any]:
        return {
            "id": file_id, "object": "file", "bytes": len(self.files[file_id]), "created_at": int(time.time()),
            "filename": "batch.jsonl", "purpose": "batch", "status": "processed",
        }  # fmt: skip

    def _batches(self, connection: "_Connection", method: str, rest: str, body: bytes) -> None:
        batch_id, _, what = rest.partition("/")
        if method == "POST" and not rest:
            begun = self._begin(json.loads(body))
            if self.batch_drops:
                self.batch_drops -= 1
                connection.transport.abort()
            else:
                connection.send(200, begun)
        elif not rest:
            newest = list(self.batches.values())[::-1]
            connection.send(200, {"object": "list", "data": newest, "has_more": False})
        elif batch_id not in self.batches:
            connection.send(404, _error(f"there is no batch {batch_id}"))
        elif what == "cancel":
            self.batches[batch_id]["status"] = "cancelled"
            connection.send(200, self.batches[batch_id])
        else:
            connection.send(200, self.batches[batch_id])

    def _begin(self, asked: dict[str, Any]) -> dict[str, Any]:
        batch_id = self.new_id("batch")
        now = int(time.time())
        batch = self.batches[batch_id] = {
            "id": batch_id, "object": "batch", "endpoint": asked["endpoint"], "errors": None,
            "input_file_id": asked["input_file_id"], "completion_window": asked["completion_window"],
            "status": "in_progress", "output_file_id": None, "error_file_id": None, "created_at": now,
            "metadata": asked.get("metadata"), "request_counts": {"total": 0, "completed": 0, "failed": 0},
        }  # fmt: skip
        self._loop.call_later(self.batch_seconds, self._end, batch)
        return dict(batch)

    def _end(self, batch: dict[str, Any]) -> None:
        if batch["status"] != "in_progress":
            return
        right: list[str] = []
        wrong: list[str] = []
        lines = self.files[batch["input_file_id"]].splitlines()
        batch["status"] = self.batch_ends
        if self.batch_ends == "failed":
            error = {
                "code": "token_limit_exceeded",
                "message": "Enqueued token limit reached",
                "line": None,
                "param": None,
            }
            batch["errors"] = {"object": "list", "data": [error]}
            return
        answered = lines[: len(lines) // 2] if self.batch_ends == "expired" else lines
        for line in map(json.loads, answered):
            key = self._count({}, line["body"])
            answer = self.answer(line["body"])
            status, said, _ = self._completion(line["body"], answer.answer if isinstance(answer, Delayed) else answer)
            self.answered[key] += 1
            response = {"status_code": status, "request_id": self.new_id("request"), "body": said}
            row = {"id": self.new_id("line"), "custom_id": line["custom_id"], "response": response, "error": None}
            (right if status == 200 else wrong).append(json.dumps(row))
        # As with OpenAI, the results come in no order.
        for name, rows in (("output_file_id", right[::-1]), ("error_file_id", wrong)):
            if rows:
                batch[name] = self.new_id("file")
                self.files[batch[name]] = ("\n".join(rows) + "\n").encode()
        batch["request_counts"] = {"total": len(lines), "completed": len(right), "failed": len(wrong)}


class _Connection(asyncio.Protocol):
    """One kept connection."""

    transport: asyncio.Transport

    def __init__(self, server: ModelServer) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._path = ""
        self._headers: dict[str, str] = {}
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._server._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server._connections.discard(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.abort()

    def on_message_begin(self) -> None:
        self._path, self._headers, self._body = "", {}, b""

    def on_url(self, url: bytes) -> None:
        self._path += url.decode()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode().lower()] = value.decode("latin-1")
        if name.lower() == b"expect":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode()
        try:
            self._server.handle(self, method, self._path, self._headers, self._body)
        except Exception as error:  # a test's answer function failed: the test shall see how
            self.send(500, _error(f"{type(error).__name__}: {error}"))

    def send(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        """Write an answer: bytes as they are, anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n{more}\r\n"
        self.transport.write(head.encode("latin-1") + content)


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "test", "param": None, "code": None}}


def _part(content_type: str, body: bytes, name: str) -> bytes:
    """A field of a multipart body."""
    boundary = content_type.partition("boundary=")[2].strip('"').encode()
    for part in body.split(b"--" + boundary):
        head, _, content = part.partition(b"\r\n\r\n")
        if f'name="{name}"'.encode() in head:
            return content.removesuffix(b"\r\n")
    raise ValueError(f"there is no field {name!r}")


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each chat answer")
    parser.add_argument("--marker", default=MARKER, help="regular expression of the key by which calls are counted")
    parser.add_argument("--content", default=None, help="what every chat request is answered")
    given = parser.parse_args()
    server = ModelServer(lambda body: given.content, delay=given.delay, keep=False, marker=given.marker)
    print(server.url, flush=True)
    with suppress(KeyboardInterrupt):
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
    server.close()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    _main()
