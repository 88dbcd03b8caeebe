"""The description of the API (OpenAPI 3.1)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.routing import Route

from hansei import __version__
from hansei.collector.keys import Principal, Role
from hansei.feedback.api.described import (
    FINDING,
    IDEMPOTENCY,
    LOCATION,
    NEXT,
    PAGES,
    READING,
    TIMES,
    WRITING,
    Description,
    answer,
    in_path,
    in_query,
    operation,
    tagged,
)
from hansei.feedback.api.parameters import Parameters
from hansei.feedback.api.resource import PREFIX, Answer, Operation, Resource
from hansei.feedback.api.schemas import SCHEMAS as OWN_SCHEMAS
from hansei.feedback.api.schemas import Schema, reference
from hansei.feedback.browser.openapi import BROWSER_PATHS, BROWSER_SCHEMAS, BROWSER_SECURITY
from hansei.feedback.labeling.openapi import LABELING_PATHS, LABELING_SCHEMAS
from hansei.feedback.source import SOURCE_TYPES

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

_TRACE_ID: Final = in_query("trace_id", "the trace of the assessment; none for one on a session")
_SOURCE_TYPE: Final = in_query("source_type", enum=list(SOURCE_TYPES))

_ASSESSMENTS: Final[dict[str, Schema]] = {
    f"{PREFIX}/assessments": {
        "get": operation(
            "The assessments that fit all of what is given, the newest first",
            Role.READ,
            {"200": answer("AssessmentPage", "a page", NEXT)},
            FINDING,
            (
                in_query("trace_id"),
                in_query("span_id"),
                in_query("session_id"),
                in_query("name"),
                in_query("kind", enum=["feedback", "expectation"]),
                _SOURCE_TYPE,
                in_query("source_id"),
                in_query("labeling_session_id"),
                in_query("evaluation_run_id"),
                in_query("valid", "false: those that are overridden", enum=["true", "false"]),
                *TIMES,
                *PAGES,
            ),
        ),
        "post": operation(
            "Record an assessment",
            Role.FEEDBACK,
            {"201": answer("WrittenAssessment", "it is on disk", LOCATION)},
            WRITING,
            (IDEMPOTENCY,),
            reference("NewAssessment"),
        ),
    },
    f"{PREFIX}/assessments:batch": {
        "post": operation(
            "Record up to 1000 assessments, all or none",
            Role.FEEDBACK,
            {"201": answer("WrittenAssessments", "they are on disk, in their order")},
            WRITING,
            (IDEMPOTENCY,),
            {"type": "array", "minItems": 1, "maxItems": 1000, "items": reference("NewAssessment")},
        )
    },
    f"{PREFIX}/assessments/unlinked": {
        "get": operation(
            "What does not hang together: assessments whose trace or span has not come, and the like",
            Role.READ,
            {"200": answer("UnlinkedPage", "a page, and how many there are for each reason", NEXT)},
            READING,
            (in_query("min_age", "seconds since it was said", type="integer", minimum=0, default=0), *PAGES),
        )
    },
    f"{PREFIX}/assessments/{{assessment_id}}": {
        "parameters": [in_path("assessment_id"), _TRACE_ID],
        "get": operation(
            "An assessment as it is now",
            Role.READ,
            {"200": answer("Assessment", "the assessment")},
            (*READING, "404"),
            (
                in_query(
                    "wait",
                    "seconds to wait for what was just written",
                    type="integer",
                    minimum=0,
                    maximum=30,
                    default=0,
                ),
            ),
        ),
        "put": operation(
            "Correct what an assessment says; where it is and who made it stays",
            Role.FEEDBACK,
            {"200": answer("WrittenAssessment", "the correction is on disk")},
            WRITING,
            (IDEMPOTENCY,),
            reference("Correction"),
        ),
        "delete": operation(
            "Take an assessment back; the ledger keeps that it was there",
            Role.FEEDBACK,
            {"204": {"description": "that is on disk"}},
            ("400", "401", "403", "422", "429", "503"),
            (_SOURCE_TYPE, in_query("source_id", "who takes it back"), IDEMPOTENCY),
        ),
    },
    f"{PREFIX}/assessments/{{assessment_id}}/history": {
        "parameters": [in_path("assessment_id"), _TRACE_ID],
        "get": operation(
            "All that was said of an assessment, in order",
            Role.READ,
            {"200": answer("History", "its events")},
            (*READING, "404"),
        ),
    },
}
_TRACES: Final[dict[str, Schema]] = {
    f"{PREFIX}/traces": {
        "get": operation(
            "The traces that fit, the newest first, in short",
            Role.READ,
            {"200": answer("TracePage", "a page", NEXT)},
            FINDING,
            (in_query("filter", "MLflow's filter language (docs/search.md)"), *TIMES, *PAGES),
        )
    },
    f"{PREFIX}/traces/{{trace_id}}": {
        "parameters": [in_path("trace_id")],
        "get": operation(
            "A trace with its spans and assessments",
            Role.READ,
            {"200": answer("Trace", "the trace as far as it has come")},
            (*READING, "404"),
        ),
    },
}
_SESSIONS: Final[dict[str, Schema]] = {
    f"{PREFIX}/sessions": {
        "get": operation(
            "The sessions that fit, the last to begin first",
            Role.READ,
            {"200": answer("SessionPage", "a page", NEXT)},
            FINDING,
            (in_query("filter", "a filter of fields of sessions (docs/search.md)"), *TIMES, *PAGES),
        )
    },
    f"{PREFIX}/sessions/{{session_id}}": {
        "parameters": [in_path("session_id")],
        "get": operation(
            "A session with its traces and what was said of it",
            Role.READ,
            {"200": answer("Session", "the session")},
            (*READING, "404"),
        ),
    },
}
_SERVER: Final[dict[str, Schema]] = {
    f"{PREFIX}/server": {
        "get": operation(
            "Where OTLP is taken and SQL is answered", None, {"200": answer("Server", "the server")}, ("400", "403")
        )
    },
    f"{PREFIX}/openapi.json": {
        "get": operation(
            "This description",
            None,
            {"200": {"description": "OpenAPI 3.1", "content": {"application/json": {"schema": {"type": "object"}}}}},
            ("400", "403"),
        )
    },
}
OWN_PATHS: Final[dict[str, Schema]] = {
    **tagged("assessments", _ASSESSMENTS),
    **tagged("traces", _TRACES),
    **tagged("sessions", _SESSIONS),
    **tagged("server", _SERVER),
}
"""Those of this package."""
PATHS: Final = {**OWN_PATHS, **LABELING_PATHS, **BROWSER_PATHS}
SCHEMAS: Final = {**OWN_SCHEMAS, **LABELING_SCHEMAS, **BROWSER_SCHEMAS}
_TAGS: Final = {
    "assessments": "what people, code and models say of traces",
    "traces": "what was recorded of a request",
    "sessions": "conversations of several traces",
    "labeling": "questions, and sessions in which experts answer them",
    "browser": "feedback of a page in a browser, by a feedback token",
    "server": "the collector itself",
}


def document(*others: Description) -> Schema:
    """The description, with what other packages' routes add to it."""
    tags, paths, schemas = dict(_TAGS), dict(PATHS), dict(SCHEMAS)
    for other in others:
        tags |= other.tags
        paths |= other.paths
        schemas |= other.schemas
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "hansei",
            "version": __version__,
            "summary": "Assessments, traces, sessions, labeling and evaluation of generative-AI applications",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": description} for name, description in tags.items()],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "a key of the collector"},
                **BROWSER_SECURITY,
            },
        },
    }


def openapi_routes(site: "Site", others: Sequence[Description] = ()) -> list[Route]:
    """The routes."""
    described = document(*others)

    async def read(request: Request, _: Principal | None) -> Answer:
        Parameters.of(request)
        return Answer(200, described)

    return [Route(PREFIX + "/openapi.json", Resource(site, {"GET": Operation(read, None)}))]
