"""A model server for examples and tests: OpenAI's chat API on this machine, without a model.

    python docs/examples/model_server.py --port 0

It answers from the prompt itself, by quoting the sentences that share most words with the question, so the
same question always gets the same answer. Asked for a verdict by a JSON schema it compares the words of an answer with
those of the expected one. Usage, ids, errors and streaming look as OpenAI's do.
"""

import argparse
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# What can be asked for, and the dated snapshot that OpenAI says has answered.
MODELS = {
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
}
NO_ANSWER = "I could not find that in the documents I have."

_CREATED = 1_730_000_000
_STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be by can do does for from how i in is it me my of on or should that the this to was "
        "what when where which why will with you your",
    )
)


class RequestRefused(Exception):
    """A request that is answered with an error in OpenAI's form."""

    def __init__(self, status: int, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def complete(request: dict[str, Any]) -> dict[str, Any]:
    """The chat completion that answers a request."""
    model = request.get("model")
    if model not in MODELS:
        raise RequestRefused(
            404,
            f"The model `{model}` does not exist or you do not have access to it.",
            code="model_not_found",
        )
    messages = request.get("messages")
    if not isinstance(messages, list) or not messages:
        raise RequestRefused(400, "Invalid 'messages': empty array. Expected at least one message.", param="messages")
    prompt = "\n".join(_text_of(message) for message in messages)
    limit = request.get("max_completion_tokens") or request.get("max_tokens")
    content, finish_reason = _cut(_verdict(messages) if _is_judged(request) else _answer(messages), limit)
    count = request.get("n") or 1
    return {
        "id": f"chatcmpl-{_identity(request)}",
        "object": "chat.completion",
        "created": _CREATED,
        "model": MODELS[model],
        "choices": [
            {
                "index": index,
                "message": {"role": "assistant", "content": content, "refusal": None, "annotations": []},
                "logprobs": None,
                "finish_reason": finish_reason,
            }
            for index in range(count)
        ],
        "usage": _usage(prompt, content, count),
        "service_tier": "default",
        "system_fingerprint": "fp_hansei_demo",
    }


def chunks(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The same completion as a stream of chunks, a word each."""
    completion = complete(request)
    usage = completion.pop("usage")
    wants_usage = (request.get("stream_options") or {}).get("include_usage")
    frame = {**completion, "object": "chat.completion.chunk", **({"usage": None} if wants_usage else {})}
    for choice in completion["choices"]:
        words = re.findall(r"\S+\s*", choice["message"]["content"])
        deltas = [{"role": "assistant", "content": ""}, *({"content": word} for word in words), {}]
        for delta in deltas:
            finish_reason = None if delta else choice["finish_reason"]
            piece = {"index": choice["index"], "delta": delta, "logprobs": None, "finish_reason": finish_reason}
            yield {**frame, "choices": [piece]}
    if wants_usage:
        yield {**frame, "choices": [], "usage": usage}


def _answer(messages: list[dict[str, Any]]) -> str:
    question_at = max((i for i, message in enumerate(messages) if message.get("role") == "user"), default=0)
    wanted = _words(_text_of(messages[question_at]))
    instructions = [message for message in messages if message.get("role") in ("system", "developer")]
    scored = []
    for line in "\n".join(_text_of(message) for message in instructions).splitlines():
        # A document in a prompt is a line "[id] text"; what is not one is an instruction, not a source.
        document = re.match(r"\[[\w-]+\] (.+)", line)
        for sentence in re.split(r"(?<=[.!?])\s+", document[1]) if document else ():
            scored.append((len(wanted & _words(sentence)), -len(scored), sentence))
    told = "\n".join(_text_of(message) for message in instructions)
    number = 1 if "one sentence" in told else 2
    otherwise = re.search(r"If they do not tell, answer: (.+)", told)
    best = [score for score in sorted(scored, reverse=True)[:number] if score[0] >= 2]
    in_reading_order = sorted(best, key=lambda score: -score[1])
    no_answer = otherwise[1] if otherwise else NO_ANSWER
    return " ".join(sentence for _, _, sentence in in_reading_order) or no_answer


def _is_judged(request: dict[str, Any]) -> bool:
    return (request.get("response_format") or {}).get("json_schema", {}).get("name") == "verdict"


def _verdict(messages: list[dict[str, Any]]) -> str:
    """Whether an answer holds what was expected: most of its words, and all of its numbers."""
    shown = _text_of(messages[-1])
    answer, expected = (_words(_between(name, shown)) for name in ("answer", "expected_response"))
    missing = sorted(expected - answer)
    right = len(missing) <= len(expected) / 4 and not any(word.isdigit() for word in missing)
    rationale = f"The answer lacks: {', '.join(missing)}." if missing else "All that was expected is in the answer."
    return json.dumps({"rationale": rationale, "value": "yes" if right else "no"})


def _between(name: str, text: str) -> str:
    found = re.search(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
    return found[1] if found else ""


def _words(text: str) -> set[str]:
    # The plural is enough grammar for a demonstration.
    return {word.rstrip("s") for word in re.findall(r"[a-z0-9]+", text.lower())} - _STOP_WORDS


def _text_of(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return " ".join(part.get("text", "") for part in content)
    return content or ""


def _cut(answer: str, limit: int | None) -> tuple[str, str]:
    if limit is None or _tokens(answer) <= limit:
        return answer, "stop"
    return answer[: limit * 4], "length"


def _usage(prompt: str, content: str, count: int) -> dict[str, Any]:
    prompt_tokens, completion_tokens = _tokens(prompt), count * _tokens(content)
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        # OpenAI caches the start of long prompts in steps of 128 tokens; a demonstration's are shorter.
        "prompt_tokens_details": {"cached_tokens": prompt_tokens // 2 // 64 * 64, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _tokens(text: str) -> int:
    return -(-len(text) // 4)


def _identity(request: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:29]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without it the end of a small answer waits for the client's delayed acknowledgement (40 ms).
    disable_nagle_algorithm = True
    latency = 0.0

    def do_GET(self) -> None:
        if self.path != "/v1/models":
            return self._send(404, RequestRefused(404, f"Invalid URL (GET {self.path})").body)
        models = [{"id": name, "object": "model", "created": _CREATED, "owned_by": "system"} for name in MODELS]
        return self._send(200, {"object": "list", "data": models})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            if self.path != "/v1/chat/completions":
                raise RequestRefused(404, f"Invalid URL (POST {self.path})")
            request = _parsed(body)
            time.sleep(self.latency)
            if request.get("stream"):
                self._stream(list(chunks(request)))
            else:
                self._send(200, complete(request))
        except RequestRefused as refused:
            self._send(refused.status, refused.body)

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.send_header("x-request-id", f"req_{hashlib.sha256(body).hexdigest()[:32]}")
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, answer: list[dict[str, Any]]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        # The end of the connection is the end of the stream.
        self.send_header("connection", "close")
        self.end_headers()
        for event in [*map(json.dumps, answer), "[DONE]"]:
            self.wfile.write(f"data: {event}\n\n".encode())
            self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, the name is the base class's
        """Keep quiet: an example's own output is what there is to read."""


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body)
    except ValueError:
        request = None
    if not isinstance(request, dict):
        raise RequestRefused(400, "We could not parse the JSON body of your request.")
    return request


@contextmanager
def serve(port: int = 0, *, latency: float = 0.02) -> Iterator[str]:
    """Serve on this machine while the block runs; gives the URL for ``OPENAI_BASE_URL``."""
    handler = type("Handler", (_Handler,), {"latency": latency})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            server.shutdown()
            thread.join()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="OpenAI's chat API on this machine, without a model.")
    parser.add_argument("--port", type=int, default=8010, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--latency", type=float, default=0.02, help="seconds before an answer (default: %(default)s)")
    arguments = parser.parse_args()
    with serve(arguments.port, latency=arguments.latency) as url:
        print(url, flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
