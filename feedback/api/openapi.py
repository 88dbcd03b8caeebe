"""The description of the API (OpenAPI 3.1)."""

from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.routing import Route

from hansei import __version__
from hansei.collector.keys import Principal, Role
from hansei.feedback.api.idempotency import HEADER
from hansei.feedback.api.parameters import Parameters
from hansei.feedback.api.resource import PREFIX, Answer, Operation, Resource
from hansei.feedback.api.schemas import SCHEMAS, Schema, reference
from hansei.feedback.source import SOURCE_TYPES

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

_RETRY: Final[Schema] = {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}}
_PROBLEMS: Final = {
    "400": "the address, a header or the JSON is not as it must be",
    "401": "the key is missing or not known",
    "403": "the key lacks the role",
    "404": "there is none",
    "413": "the body is too large",
    "415": "the body is not application/json",
    "422": "the body cannot be taken, or the idempotency key was used for another request",
    "429": "too much waits to be stored; try again later",
    "503": "nothing can be taken or read now; try again later",
}
_READING: Final = ("400", "401", "403", "503")
_FINDING: Final = (*_READING, "422")
_WRITING: Final = ("400", "401", "403", "413", "415", "422", "429", "503")


def _problem(status: str) -> Schema:
    made: Schema = {
        "description": _PROBLEMS[status],
        "content": {"application/problem+json": {"schema": reference("Problem")}},
    }
    return {**made, "headers": _RETRY} if status in ("429", "503") else made


def _answer(schema: str, description: str, headers: Schema | None = None) -> Schema:
    made: Schema = {"description": description, "content": {"application/json": {"schema": reference(schema)}}}
    return {**made, "headers": headers} if headers else made


def _in_path(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _in_query(name: str, description: str = "", **schema: Any) -> Schema:
    made: Schema = {"name": name, "in": "query", "schema": {"type": "string", **schema}}
    return {**made, "description": description} if description else made


def _operation(
    summary: str,
    role: str | None,
    answers: dict[str, Schema],
    problems: tuple[str, ...],
    parameters: tuple[Schema, ...] = (),
    body: Schema | None = None,
) -> Schema:
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


_IDEMPOTENCY: Final[Schema] = {
    "name": HEADER,
    "in": "header",
    "description": "repeated with the same key, a request is carried out once; a UUIDv7 is best",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_TRACE_ID: Final = _in_query("trace_id", "the trace of the assessment; none for one on a session")
_PAGES: Final = (
    _in_query("limit", "how many at most", type="integer", minimum=1, maximum=1000, default=100),
    _in_query("page_token", "next_page_token of the page before"),
)
_TIMES: Final = (
    _in_query("from", "RFC 3339 or milliseconds since 1970; from then on"),
    _in_query("to", "RFC 3339 or milliseconds since 1970; before then"),
)
_NEXT: Final[Schema] = {"Link": {"description": 'the page after this one, rel="next"', "schema": {"type": "string"}}}
_LOCATION: Final[Schema] = {"Location": {"description": "its address", "schema": {"type": "string"}}}
_SOURCE_TYPE: Final = _in_query("source_type", enum=list(SOURCE_TYPES))

PATHS: Final[Schema] = {
    f"{PREFIX}/assessments": {
        "get": _operation(
            "The assessments that fit all of what is given, the newest first",
            Role.READ,
            {"200": _answer("AssessmentPage", "a page", _NEXT)},
            _FINDING,
            (
                _in_query("trace_id"),
                _in_query("span_id"),
                _in_query("session_id"),
                _in_query("name"),
                _in_query("kind", enum=["feedback", "expectation"]),
                _SOURCE_TYPE,
                _in_query("source_id"),
                _in_query("labeling_session_id"),
                _in_query("evaluation_run_id"),
                _in_query("valid", "false: those that are overridden", enum=["true", "false"]),
                *_TIMES,
                *_PAGES,
            ),
        ),
        "post": _operation(
            "Record an assessment",
            Role.FEEDBACK,
            {"201": _answer("WrittenAssessment", "it is on disk", _LOCATION)},
            _WRITING,
            (_IDEMPOTENCY,),
            reference("NewAssessment"),
        ),
    },
    f"{PREFIX}/assessments:batch": {
        "post": _operation(
            "Record up to 1000 assessments, all or none",
            Role.FEEDBACK,
            {"201": _answer("WrittenAssessments", "they are on disk, in their order")},
            _WRITING,
            (_IDEMPOTENCY,),
            {"type": "array", "minItems": 1, "maxItems": 1000, "items": reference("NewAssessment")},
        )
    },
    f"{PREFIX}/assessments/unlinked": {
        "get": _operation(
            "What does not hang together: assessments whose trace or span has not come, and the like",
            Role.READ,
            {"200": _answer("UnlinkedPage", "a page, and how many there are for each reason", _NEXT)},
            _READING,
            (_in_query("min_age", "seconds since it was said", type="integer", minimum=0, default=0), *_PAGES),
        )
    },
    f"{PREFIX}/assessments/{{assessment_id}}": {
        "parameters": [_in_path("assessment_id"), _TRACE_ID],
        "get": _operation(
            "An assessment as it is now",
            Role.READ,
            {"200": _answer("Assessment", "the assessment")},
            (*_READING, "404"),
            (
                _in_query(
                    "wait",
                    "seconds to wait for what was just written",
                    type="integer",
                    minimum=0,
                    maximum=30,
                    default=0,
                ),
            ),
        ),
        "put": _operation(
            "Correct what an assessment says; where it is and who made it stays",
            Role.FEEDBACK,
            {"200": _answer("WrittenAssessment", "the correction is on disk")},
            _WRITING,
            (_IDEMPOTENCY,),
            reference("Correction"),
        ),
        "delete": _operation(
            "Take an assessment back; the ledger keeps that it was there",
            Role.FEEDBACK,
            {"204": {"description": "that is on disk"}},
            ("400", "401", "403", "422", "429", "503"),
            (_SOURCE_TYPE, _in_query("source_id", "who takes it back"), _IDEMPOTENCY),
        ),
    },
    f"{PREFIX}/assessments/{{assessment_id}}/history": {
        "parameters": [_in_path("assessment_id"), _TRACE_ID],
        "get": _operation(
            "All that was said of an assessment, in order",
            Role.READ,
            {"200": _answer("History", "its events")},
            (*_READING, "404"),
        ),
    },
    f"{PREFIX}/traces": {
        "get": _operation(
            "The traces that fit, the newest first, in short",
            Role.READ,
            {"200": _answer("TracePage", "a page", _NEXT)},
            _FINDING,
            (_in_query("filter", "MLflow's filter language (docs/search.md)"), *_TIMES, *_PAGES),
        )
    },
    f"{PREFIX}/traces/{{trace_id}}": {
        "parameters": [_in_path("trace_id")],
        "get": _operation(
            "A trace with its spans and assessments",
            Role.READ,
            {"200": _answer("Trace", "the trace as far as it has come")},
            (*_READING, "404"),
        ),
    },
    f"{PREFIX}/sessions": {
        "get": _operation(
            "The sessions that fit, the last to begin first",
            Role.READ,
            {"200": _answer("SessionPage", "a page", _NEXT)},
            _FINDING,
            (_in_query("filter", "a filter of fields of sessions (docs/search.md)"), *_TIMES, *_PAGES),
        )
    },
    f"{PREFIX}/sessions/{{session_id}}": {
        "parameters": [_in_path("session_id")],
        "get": _operation(
            "A session with its traces and what was said of it",
            Role.READ,
            {"200": _answer("Session", "the session")},
            (*_READING, "404"),
        ),
    },
    f"{PREFIX}/server": {
        "get": _operation(
            "Where OTLP is taken and SQL is answered", None, {"200": _answer("Server", "the server")}, ("400", "403")
        )
    },
    f"{PREFIX}/openapi.json": {
        "get": _operation(
            "This description",
            None,
            {"200": {"description": "OpenAPI 3.1", "content": {"application/json": {"schema": {"type": "object"}}}}},
            ("400", "403"),
        )
    },
}

DOCUMENT: Final[Schema] = {
    "openapi": "3.1.0",
    "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
    "info": {
        "title": "hansei",
        "version": __version__,
        "summary": "Assessments, traces and sessions of generative-AI applications",
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    },
    "servers": [{"url": "/"}],
    "paths": PATHS,
    "components": {
        "schemas": SCHEMAS,
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "a key of the collector"}},
    },
}


def openapi_routes(site: "Site") -> list[Route]:
    """The routes."""

    async def read(request: Request, _: Principal | None) -> Answer:
        Parameters.of(request)
        return Answer(200, DOCUMENT)

    return [Route(PREFIX + "/openapi.json", Resource(site, {"GET": Operation(read, None)}))]
