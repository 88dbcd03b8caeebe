"""What each method of the installed openai client sends, and what is recorded of it.

``python -m tests.instrumentation.test_coverage`` writes docs/openai-coverage.md anew.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai._resource import AsyncAPIResource, SyncAPIResource

from hansei.instrumentation.operations.routes import operation_of

ROOT = Path(__file__).parents[2]
DOCUMENT, README = ROOT / "docs" / "openai-coverage.md", ROOT / "README.md"
COMMAND = "python -m tests.instrumentation.test_coverage"
_SENDS = {
    "_post": "POST",
    "_get": "GET",
    "_delete": "DELETE",
    "_patch": "PATCH",
    "_put": "PUT",
    "_get_api_list": "GET",
}
_NO_REQUEST: dict[str, str] = {
    "connect": "opens a WebSocket",
    "unwrap": "reads a webhook that arrived",
    "verify_signature": "checks a webhook that arrived",
}
"""Methods that send no HTTP request of the client, and what they do instead."""
_CONNECTIONS = ("realtime.connect", "responses.connect")
"""Those whose responses are calls; the same of ``beta``."""
_HEAD = """\
# What is recorded of each method of the openai client

Made from openai {version} by `{command}`, run in the root of the repository; a test compares the two.

*Request* is what the method sends. *Recorded* is `gen_ai.operation.name`, or `general` for a request that the
conventions have no operation for: its span has method, path, server, status, request id and error, and model and
usage where the answer has them. A method that a newer client adds is `general` until it is given an operation.
Methods of the asynchronous client, `with_raw_response` and `with_streaming_response` record the same.

| method | request | recorded |
|---|---|---|
"""


class Row(NamedTuple):
    """One method of the client."""

    method: str
    requests: tuple[tuple[str, str], ...]
    """HTTP methods and path templates."""
    calls: tuple[str, ...]
    """The other methods of the client that it is made of."""


@cache
def rows(kind: type[OpenAI | AsyncOpenAI]) -> tuple[Row, ...]:
    """Every public method below a client, in alphabetical order."""
    client = kind(api_key="key")
    return tuple(sorted(row for name, resource in resources(client) for row in _methods(name, resource)))


def resources(parent: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The resources below a client or a resource, with their dotted names."""
    for name in dir(type(parent)):
        if name.startswith(("_", "with_")) or callable(getattr(type(parent), name)):
            continue
        child = getattr(parent, name)
        if isinstance(child, SyncAPIResource | AsyncAPIResource):
            yield f"{prefix}{name}", child
            yield from resources(child, f"{prefix}{name}.")


def _methods(name: str, resource: Any) -> Iterator[Row]:
    for method in dir(type(resource)):
        function = getattr(type(resource), method)
        if method.startswith(("_", "with_")) or not inspect.isfunction(function):
            continue
        requests: set[tuple[str, str]] = set()
        others: set[str] = set()
        for called, call in _calls(function, "self"):
            if called in _SENDS:
                requests.update(_requests(called, call))
            elif not called.startswith("_"):
                others.add(called)
        yield Row(f"{name}.{method}", tuple(sorted(requests)), tuple(sorted(others - {method})))


def _calls(function: Callable[..., Any], owner: str) -> Iterator[tuple[str, ast.Call]]:
    """The methods of ``owner`` that a function calls, itself or by the functions and classes to which it passes it."""
    function = inspect.unwrap(function)
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if not isinstance(node, ast.Call):
            continue
        source = ast.unparse(node.func)
        # What is bound to a method in advance is sent later.
        for called in (source, *map(ast.unparse, node.args)):
            if called.startswith(f"{owner}.") and called.replace(".", "").isidentifier():
                yield re.sub(r"^\w+\.(_client\.|with_raw_response\.)?", "", called), node
        if any(isinstance(argument, ast.Name) and argument.id == owner for argument in node.args[:1]):
            helper = function.__globals__.get(source)
            if inspect.isfunction(helper):
                yield from _calls(helper, next(iter(inspect.signature(helper).parameters)))
            elif inspect.isclass(helper):
                yield helper.__name__, node


def _requests(called: str, call: ast.Call) -> Iterator[tuple[str, str]]:
    """What ``self._post("/…")`` or ``self._get_api_list(path_template("/…", …), method="post")`` sends."""
    asked = [keyword.value for keyword in call.keywords if keyword.arg == "method"]
    method = str(ast.literal_eval(asked[0])).upper() if asked else _SENDS[called]
    # The path is the first argument, or the second of a ``partial``.
    for node in (node for argument in call.args[:2] for node in ast.walk(argument)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("/"):
            yield method, node.value


def recorded(row: Row) -> str:
    """What its requests are recorded as."""
    names = {operation_of(method, path).operation.name or "general" for method, path in row.requests}
    return ", ".join(f"`{name}`" for name in sorted(names))


def document() -> str:
    """The coverage document."""
    lines = [_line(row) for row in rows(OpenAI)]
    return _HEAD.format(version=openai.__version__, command=COMMAND) + "\n".join(lines) + "\n"


def summary() -> str:
    """The README's table: the methods of each operation, and how many others there are."""
    methods: dict[str, list[str]] = {}
    for row in rows(OpenAI):
        if row.requests and not row.method.startswith("beta.responses."):
            methods.setdefault(recorded(row), []).append(row.method)
    others = len(methods.pop("`general`"))
    methods["`chat`"] += _CONNECTIONS
    lines = [f"| {name} | {', '.join(f'`{method}`' for method in found)} |" for name, found in sorted(methods.items())]
    lines.append(f"| `METHOD /path` | the other {others} methods, and what you send with `client.post()` |")
    return "\n".join(["| recorded as | methods |", "| --- | --- |", *lines])


def _line(row: Row) -> str:
    if row.requests:
        sent = ", ".join(f"`{method} {path}`" for method, path in row.requests)
        return f"| `{row.method}` | {sent} | {recorded(row)} |"
    if row.calls:
        return f"| `{row.method}` | those of {', '.join(f'`{name}`' for name in row.calls)} | what they record |"
    answers = "`chat`, each response" if row.method.removeprefix("beta.") in _CONNECTIONS else ""
    return f"| `{row.method}` | none: {_NO_REQUEST[row.method.rpartition('.')[2]]} | {answers} |"


@pytest.mark.parametrize("kind", [OpenAI, AsyncOpenAI])
def test_every_method_is_accounted_for(kind: Any) -> None:
    """A method sends a request, is made of others that do, or is listed as one that sends none."""
    found = rows(kind)
    assert len(found) > 100
    unknown = [
        row.method for row in found if not (row.requests or row.calls or row.method.rpartition(".")[2] in _NO_REQUEST)
    ]
    assert unknown == []


def test_both_clients_send_the_same() -> None:
    """What is said of the one client holds for the other."""
    sync = {row.method: row.requests for row in rows(OpenAI)}
    assert {row.method: row.requests for row in rows(AsyncOpenAI)} == sync


def test_what_is_billed_by_tokens_has_an_operation() -> None:
    """The methods that models answer are no general requests."""
    operations = {row.method: recorded(row) for row in rows(OpenAI)}
    expected = {
        "chat.completions.create": "`chat`",
        "chat.completions.parse": "`chat`",
        "responses.create": "`chat`",
        "responses.parse": "`chat`",
        "responses.compact": "`chat`",
        "responses.retrieve": "`fetch_response`",
        "responses.cancel": "`cancel_response`",
        "beta.responses.create": "`chat`",
        "completions.create": "`text_completion`",
        "embeddings.create": "`embeddings`",
        "images.generate": "`generate_content`",
        "images.edit": "`generate_content`",
        "images.create_variation": "`generate_content`",
        "audio.speech.create": "`generate_content`",
        "audio.transcriptions.create": "`generate_content`",
        "audio.translations.create": "`generate_content`",
        "moderations.create": "`moderation`",
        "vector_stores.search": "`retrieval`",
        "beta.threads.runs.create": "`invoke_agent`",
        "beta.threads.create_and_run": "`invoke_agent`",
        "batches.create": "`general`",
        "files.create": "`general`",
    }
    assert {method: operations[method] for method in expected} == expected


def test_an_unknown_request_is_general() -> None:
    """What a release of next year sends is not nothing."""
    assert operation_of("post", "/brand/new").operation.name is None
    assert operation_of("post", "/chat/completions/chatcmpl-1").operation.name is None


def test_the_document_is_true() -> None:
    """docs/openai-coverage.md says what the installed client does."""
    written = DOCUMENT.read_text() if DOCUMENT.exists() else ""
    assert written == document(), f"docs/openai-coverage.md is not of this client: run `{COMMAND}`"


def test_the_readme_sums_it_up() -> None:
    """The README's table is made of the same."""
    assert _with_summary(README.read_text()) == README.read_text(), f"README.md's table is old: run `{COMMAND}`"


def _with_summary(text: str) -> str:
    before, mark, rest = text.partition("<!-- coverage -->\n")
    _, end, after = rest.partition("<!-- /coverage -->")
    assert mark
    assert end
    return f"{before}{mark}{summary()}\n{end}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(document())
    README.write_text(_with_summary(README.read_text()))
