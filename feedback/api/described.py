"""How the operations of the API are described (OpenAPI 3.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hansei.feedback.api.idempotency import HEADER
from hansei.feedback.api.schemas import Schema, reference

_RETRY: Final[Schema] = {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}}
METHODS: Final = ("get", "post", "put", "patch", "delete")
_PROBLEMS: Final = {
    "400": "the address, a header or the JSON is not as it must be",
    "401": "the key is missing or not known",
    "403": "the key lacks the role",
    "404": "there is none",
    "409": "what is there already forbids it",
    "413": "the body is too large",
    "415": "the body is not application/json",
    "422": "the body cannot be taken, or the idempotency key was used for another request",
    "429": "too much waits to be stored; try again later",
    "503": "nothing can be taken or read now; try again later",
}


@dataclass(frozen=True)
class Description:
    """What routes of another package add to the description: their tags with what they are, paths and schemas."""

    tags: Mapping[str, str]
    paths: Mapping[str, Schema]
    schemas: Mapping[str, Schema]


READING: Final = ("400", "401", "403", "503")
FINDING: Final = (*READING, "422")
WRITING: Final = ("400", "401", "403", "413", "415", "422", "429", "503")


def _problem(status: str) -> Schema:
    made: Schema = {
        "description": _PROBLEMS[status],
        "content": {"application/problem+json": {"schema": reference("Problem")}},
    }
    return {**made, "headers": _RETRY} if status in ("429", "503") else made


def answer(schema: str, description: str, headers: Schema | None = None) -> Schema:
    """An answer that is JSON of a named schema."""
    made: Schema = {"description": description, "content": {"application/json": {"schema": reference(schema)}}}
    return {**made, "headers": headers} if headers else made


def in_path(name: str) -> Schema:
    """A parameter in the path."""
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def in_query(name: str, description: str = "", **schema: Any) -> Schema:
    """A parameter in the query, which may be left out."""
    made: Schema = {"name": name, "in": "query", "schema": {"type": "string", **schema}}
    return {**made, "description": description} if description else made


def operation(
    summary: str,
    role: str | None,
    answers: dict[str, Schema],
    problems: tuple[str, ...],
    parameters: tuple[Schema, ...] = (),
    body: Schema | None = None,
) -> Schema:
    """An operation. ``role``: which a key needs, None where none is needed; ``problems``: their statuses."""
    made: Schema = {
        "summary": summary,
        "description": f"A key needs the role `{role}`." if role else "Needs no key.",
        "parameters": list(parameters),
        "responses": {**answers, **{status: _problem(status) for status in problems}},
        "security": [{"key": []}, {}] if role else [{}],
    }
    if body is not None:
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return made


IDEMPOTENCY: Final[Schema] = {
    "name": HEADER,
    "in": "header",
    "description": "repeated with the same key, a request is carried out once; a UUIDv7 is best",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
PAGES: Final = (
    in_query("limit", "how many at most", type="integer", minimum=1, maximum=1000, default=100),
    in_query("page_token", "next_page_token of the page before"),
)
TIMES: Final = (
    in_query("from", "RFC 3339 or milliseconds since 1970; from then on"),
    in_query("to", "RFC 3339 or milliseconds since 1970; before then"),
)
NEXT: Final[Schema] = {"Link": {"description": 'the page after this one, rel="next"', "schema": {"type": "string"}}}
LOCATION: Final[Schema] = {"Location": {"description": "its address", "schema": {"type": "string"}}}


def tagged(tag: str, paths: dict[str, Schema]) -> dict[str, Schema]:
    """Paths whose operations are of one kind."""
    return {
        path: {key: {"tags": [tag], **of} if key in METHODS else of for key, of in each.items()}
        for path, each in paths.items()
    }
