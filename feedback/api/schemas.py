"""The JSON Schemas of what the API takes and answers (JSON Schema 2020-12, as OpenAPI 3.1 has them)."""

from typing import Any, Final

from hansei.feedback.source import SOURCE_TYPES

Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
OPTIONAL_TEXT: Final[Schema] = {"type": ["string", "null"]}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
FLAG: Final[Schema] = {"type": "boolean"}
MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
TRACE_ID: Final[Schema] = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
NANOSECONDS: Final[Schema] = {"type": "integer", "format": "int64", "description": "nanoseconds since 1970"}
TEXTS: Final[Schema] = {"type": "object", "additionalProperties": {"type": "string"}}
COST: Final[Schema] = {"type": ["number", "null"], "description": "US dollars; null where it is not known"}


def reference(name: str) -> Schema:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def array(of: Schema) -> Schema:
    """An array."""
    return {"type": "array", "items": of}


def object_of(properties: dict[str, Schema], *, optional: tuple[str, ...] = (), description: str = "") -> Schema:
    """An object that has these properties and no other."""
    made: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    required = [name for name in properties if name not in optional]
    if required:
        made["required"] = required
    return {**made, "description": description} if description else made


def page_of(of: str, **more: Schema) -> Schema:
    """A page of a list of a named schema."""
    token = {**OPTIONAL_TEXT, "description": "page_token of the items after these; null where there are no more"}
    return object_of({"items": array(reference(of)), "next_page_token": token, **more})


def or_null(name: str) -> Schema:
    """A schema by its name, or null."""
    return {"anyOf": [reference(name), {"type": "null"}]}


_KIND: Final[Schema] = {"enum": ["feedback", "expectation"]}
_VALUE: Final[Schema] = {"description": "any JSON; of feedback no null"}
_ABOUT: Final[dict[str, Schema]] = {
    "trace_id": {"anyOf": [TRACE_ID, {"type": "null"}]},
    "span_id": OPTIONAL_TEXT,
    "session_id": OPTIONAL_TEXT,
}
_MADE_IN: Final[dict[str, Schema]] = {"labeling_session_id": OPTIONAL_TEXT, "evaluation_run_id": OPTIONAL_TEXT}
_SAID: Final[dict[str, Schema]] = {
    "kind": _KIND,
    "name": TEXT,
    "value": _VALUE,
    "error": or_null("AssessmentError"),
    "rationale": OPTIONAL_TEXT,
    "metadata": TEXTS,
    "source": {**or_null("Source"), "description": "null where nobody is named, or it is not known yet"},
}
_ASSESSMENT: Final[dict[str, Schema]] = {
    "assessment_id": TEXT,
    **_ABOUT,
    **_SAID,
    "overrides": {**OPTIONAL_TEXT, "description": "the id of the assessment of the same trace that it stands in for"},
    "valid": {**FLAG, "description": "whether no other one stands in for it"},
    **_MADE_IN,
    "created_at": {"anyOf": [MOMENT, {"type": "null"}]},
    "updated_at": MOMENT,
}
_GIVEN: Final[dict[str, Schema]] = {
    "kind": {"enum": ["feedback", "expectation", None], "default": "feedback"},
    "name": {**OPTIONAL_TEXT, "default": "feedback"},
    "value": {"description": "any JSON; feedback has a value or an error"},
    "error": or_null("AssessmentErrorGiven"),
    "rationale": {**OPTIONAL_TEXT, "description": "of feedback alone"},
    "metadata": {
        "type": ["object", "null"],
        "additionalProperties": {"type": ["string", "number", "boolean"]},
        "description": "kept as texts",
    },
    "source": {**or_null("SourceGiven"), "description": "of feedback CODE, of an expectation HUMAN"},
}
_TRACE_ID_GIVEN: Final[Schema] = {"type": ["string", "null"], "pattern": "^[0-9a-fA-F]{32}$"}

SCHEMAS: Final[dict[str, Schema]] = {
    "Source": object_of({"type": {"enum": [*SOURCE_TYPES, ""]}, "id": TEXT}, description="who says it"),
    "SourceGiven": object_of({"type": TEXT, "id": OPTIONAL_TEXT}, optional=("id",)),
    "AssessmentError": object_of({"code": TEXT, "message": OPTIONAL_TEXT}, description="why there is no value"),
    "AssessmentErrorGiven": object_of({"code": TEXT, "message": OPTIONAL_TEXT}, optional=("message",)),
    "Assessment": object_of(_ASSESSMENT, description="an assessment as it is now"),
    "WrittenAssessment": object_of(
        {
            **_ASSESSMENT,
            "linked": {
                "enum": ["linked", "trace_unknown", "span_unknown", "session_unknown", "assessment_unknown", None],
                "description": "whether what it speaks of has come; what has not is joined when it comes. "
                "null where the store did not answer just now",
            },
        },
        description="an assessment that is on disk",
    ),
    "NewAssessment": object_of(
        {
            "trace_id": _TRACE_ID_GIVEN,
            "span_id": {"type": ["string", "null"], "pattern": "^[0-9a-fA-F]{16}$"},
            "session_id": {**OPTIONAL_TEXT, "description": "without a trace_id, it speaks of the whole session"},
            **_GIVEN,
            "overrides": {**OPTIONAL_TEXT, "description": "then the name may be missing: it is that of the other"},
            **_MADE_IN,
        },
        optional=("trace_id", "span_id", "session_id", *_GIVEN, "overrides", *_MADE_IN),
    ),
    "Correction": object_of(
        {**_GIVEN, "name": {**OPTIONAL_TEXT, "description": "without one it keeps its name"}},
        optional=tuple(_GIVEN),
        description="what is said instead, all of it; source is who corrects",
    ),
    "AssessmentPage": page_of("Assessment"),
    "WrittenAssessments": object_of({"items": array(reference("WrittenAssessment"))}),
    "HistoryEvent": object_of(
        {
            "event": {"enum": ["said", "overrode", "corrected", "retracted"]},
            "at": {**MOMENT, "description": "when it was said, to the nanosecond"},
            "received_at": MOMENT,
            "assessment_id": TEXT,
            **_ABOUT,
            **_SAID,
            "overrides": OPTIONAL_TEXT,
            **_MADE_IN,
            "service": OPTIONAL_TEXT,
        },
        description="a row of the ledger; of a correction or a retraction, source is who made it",
    ),
    "History": page_of("HistoryEvent"),
    "Unlinked": object_of(
        {
            "reason": TEXT,
            "age_seconds": {"type": "integer"},
            "at": MOMENT,
            "assessment_id": TEXT,
            **_ABOUT,
            "name": TEXT,
            "source": or_null("Source"),
        }
    ),
    "UnlinkedReason": object_of({"reason": TEXT, "count": COUNT, "oldest_seconds": {"type": "integer"}}),
    "UnlinkedPage": page_of("Unlinked", reasons=array(reference("UnlinkedReason"))),
    "TraceAssessment": object_of(
        {
            "assessment_id": TEXT,
            "name": TEXT,
            "kind": _KIND,
            "value": {},
            "rationale": OPTIONAL_TEXT,
            "source": reference("Source"),
        }
    ),
    "TraceSummary": object_of(
        {
            "trace_id": TEXT,
            "name": TEXT,
            "service": TEXT,
            "start": MOMENT,
            "duration_ms": {"type": "number"},
            "state": {"enum": ["OK", "ERROR"]},
            "complete": {**FLAG, "description": "whether the root span has come"},
            "spans": COUNT,
            "errors": COUNT,
            "calls": COUNT,
            "models": array(TEXT),
            "input_tokens": COUNT,
            "output_tokens": COUNT,
            "cost_usd": COST,
            "session_id": OPTIONAL_TEXT,
            "user_id": OPTIONAL_TEXT,
            "request": {**TEXT, "description": "the beginning of what was asked"},
            "response": {**TEXT, "description": "the beginning of what was answered"},
            "assessments": array(reference("TraceAssessment")),
        }
    ),
    "TracePage": page_of("TraceSummary"),
    "TraceInfo": object_of(
        {
            "trace_id": TEXT,
            "name": TEXT,
            "client_request_id": OPTIONAL_TEXT,
            "state": {"enum": ["OK", "ERROR"]},
            "request_time": {"type": "integer", "description": "milliseconds since 1970"},
            "execution_duration": {"type": "integer", "description": "milliseconds"},
            "request": {},
            "response": {},
            "trace_metadata": TEXTS,
            "tags": TEXTS,
            "service": TEXT,
            "session_id": OPTIONAL_TEXT,
            "user_id": OPTIONAL_TEXT,
            "input_tokens": COUNT,
            "output_tokens": COUNT,
            "cost_usd": COST,
        }
    ),
    "SpanEvent": object_of({"name": TEXT, "time_ns": NANOSECONDS, "attributes": TEXTS}),
    "SpanLink": object_of({"trace_id": TEXT, "span_id": TEXT, "attributes": TEXTS}),
    "Span": object_of(
        {
            "trace_id": TEXT,
            "span_id": TEXT,
            "parent_id": OPTIONAL_TEXT,
            "name": TEXT,
            "span_type": TEXT,
            "kind": TEXT,
            "service": TEXT,
            "start_time_ns": NANOSECONDS,
            "end_time_ns": NANOSECONDS,
            "status": {"enum": ["Unset", "Ok", "Error"]},
            "status_message": TEXT,
            "inputs": {},
            "outputs": {},
            "attributes": TEXTS,
            "resource_attributes": TEXTS,
            "events": array(reference("SpanEvent")),
            "links": array(reference("SpanLink")),
        }
    ),
    "Trace": object_of(
        {
            "info": reference("TraceInfo"),
            "spans": array(reference("Span")),
            "assessments": array(reference("Assessment")),
        }
    ),
}

_SESSION: Final[dict[str, Schema]] = {
    "session_id": TEXT,
    "user_id": OPTIONAL_TEXT,
    "service": TEXT,
    "start": MOMENT,
    "end": MOMENT,
    **dict.fromkeys(("traces", "calls", "input_tokens", "output_tokens"), COUNT),
    "cost_usd": COST,
    **dict.fromkeys(("errors", "unpriced_calls"), COUNT),
    **dict.fromkeys(("assessments", "feedback", "expectations", "negative_feedback"), COUNT),
}
_LISTENER: Final[Schema] = object_of({"url": {"type": "string", "format": "uri"}})

SCHEMAS.update(
    {
        "SessionSummary": object_of(_SESSION),
        "SessionPage": page_of("SessionSummary"),
        "Session": object_of(
            {
                **_SESSION,
                "trace_ids": {**array(TEXT), "description": "in the order in which they began; the first 10 000"},
                "said": {
                    **array(reference("Assessment")),
                    "description": "of the session as a whole, the newest first",
                },
            }
        ),
        "Server": object_of(
            {
                "version": TEXT,
                "keys_required": FLAG,
                "otlp_grpc": _LISTENER,
                "otlp_http": _LISTENER,
                "sql": {
                    "anyOf": [
                        object_of({"url": {"type": "string", "format": "uri"}, "database": TEXT}),
                        {"type": "null"},
                    ]
                },
                "sql_explanation": {**OPTIONAL_TEXT, "description": "why there is no sql"},
            }
        ),
        "Mistake": object_of(
            {
                "pointer": {**TEXT, "description": "where in the body (RFC 6901)"},
                "parameter": {**TEXT, "description": "which parameter of the address"},
                "detail": TEXT,
                "position": {**COUNT, "description": "where in a filter, in characters"},
            },
            optional=("pointer", "parameter", "position"),
        ),
        "Problem": object_of(
            {
                "type": {"const": "about:blank"},
                "title": TEXT,
                "status": {"type": "integer"},
                "detail": {**TEXT, "description": "what was wrong and what to do"},
                "errors": array(reference("Mistake")),
            },
            optional=("errors",),
            description="problem details (RFC 9457)",
        ),
    }
)
