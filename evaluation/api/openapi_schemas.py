"""The JSON Schemas of runs, batches, leases and answers of judges, as the description of the API has them."""

from typing import Final

from hansei.evaluation.api import batches, leases
from hansei.evaluation.api.judge_responses import MOST_RESPONSES
from hansei.evaluation.batch.record import STATUSES as BATCH_STATUSES
from hansei.evaluation.runs.record import KINDS, STATUSES
from hansei.evaluation.runs.sent import LONGEST_NAME
from hansei.feedback.api.schemas import (
    COST,
    COUNT,
    OPTIONAL_TEXT,
    TEXT,
    TEXTS,
    Schema,
    array,
    object_of,
    page_of,
    reference,
)

ANYTHING: Final[Schema] = {"description": "any JSON"}
OBJECT: Final[Schema] = {"type": "object"}
MILLISECONDS: Final[Schema] = {"type": "integer", "minimum": 0, "description": "milliseconds since 1970"}
_MILLISECONDS_OR_NULL: Final[Schema] = {**MILLISECONDS, "type": ["integer", "null"]}
_DURATION: Final[Schema] = {"type": "number", "description": "milliseconds"}

_BEGUN: Final[dict[str, Schema]] = {
    "name": {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME},
    "kind": {"enum": list(KINDS), "description": "over data that was given, or a batch over what was stored"},
    "config": {**OBJECT, "description": "what makes the run what it is"},
    "funnel": {**OBJECT, "description": "how many subjects were seen and selected, and what became of their scores"},
    "dataset_id": TEXT,
    "dataset_version": COUNT,
    "labeling_session_id": TEXT,
    "batch": {**TEXT, "description": "the name of the batch that it is a run of"},
    "window_start_ms": _MILLISECONDS_OR_NULL,
    "window_end_ms": _MILLISECONDS_OR_NULL,
    "tags": TEXTS,
}
_TOLD: Final[dict[str, Schema]] = {
    "status": {"enum": list(STATUSES)},
    "metrics": {
        "type": "object",
        "additionalProperties": {"type": "number"},
        "description": "by scorer and aggregation: correctness/mean",
    },
    "intervals": {
        "type": "object",
        "additionalProperties": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
        "description": "the 95 % intervals of metrics",
    },
    "funnel": _BEGUN["funnel"],
    "message": {**TEXT, "description": "why it failed or was stopped"},
    "tags": TEXTS,
}
_SCORE: Final[dict[str, Schema]] = {
    "name": TEXT,
    "scorer": TEXT,
    "version": {**TEXT, "description": "of the scorer"},
    "value": {"description": "any JSON; null where there is an error or nothing to say"},
    "rationale": TEXT,
    "source_type": TEXT,
    "source_id": TEXT,
    "error": TEXT,
    "skipped": {**TEXT, "description": "why the scorer had nothing to say"},
    "assessment_id": TEXT,
    "span_id": TEXT,
    "duration_ms": _DURATION,
    "cost_usd": COST,
}
_ROW: Final[dict[str, Schema]] = {
    "position": {**COUNT, "description": "from 0 on"},
    "trace_id": TEXT,
    "session_id": TEXT,
    "record_id": {**TEXT, "description": "the record of a dataset that it is"},
    "inputs": ANYTHING,
    "outputs": ANYTHING,
    "expectations": {**OBJECT, "description": "by name"},
    "expected_by": {**OBJECT, "description": "of expectations: whose each is, and by which rule it was chosen"},
    "tags": TEXTS,
    "error": {**TEXT, "description": "why there are no outputs"},
    "duration_ms": _DURATION,
}
_BATCH: Final[dict[str, Schema]] = {
    "config": {**OBJECT, "description": "as it was last run, without secrets"},
    "schedule": {**TEXT, "description": "cron's five fields, in UTC; empty where it is run by hand"},
    "watermark_ms": {**MILLISECONDS, "description": "all subjects that ended before this have been seen"},
    "retry_from_ms": {**MILLISECONDS, "description": "before this no failed score is tried again"},
    "next_run_ms": _MILLISECONDS_OR_NULL,
    "last_run_id": TEXT,
    "status": {"enum": list(BATCH_STATUSES), "description": "of the last run; empty before the first"},
}
_HOLDER: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": leases.LONGEST_NAME}
_TERM: Final[Schema] = {"type": "integer", "minimum": 1, "description": "grows by one with each holder"}
_SECONDS: Final[Schema] = {"type": "number", "exclusiveMinimum": 0, "maximum": leases.LONGEST}


def given(properties: dict[str, Schema], *needed: str, description: str = "") -> Schema:
    """What a body may have, and must."""
    optional = tuple(name for name in properties if name not in needed)
    return object_of(properties, optional=optional, description=description)


RUN_SCHEMAS: Final[dict[str, Schema]] = {
    "EvaluationRun": object_of(
        {"run_id": TEXT, **_BEGUN, **_TOLD, "started_ms": MILLISECONDS, "ended_ms": _MILLISECONDS_OR_NULL},
        description="a run; what it scored are the assessments with its evaluation_run_id",
    ),
    "EvaluationRunPage": page_of("EvaluationRun"),
    "NewEvaluationRun": given(_BEGUN, "name"),
    "EvaluationRunChange": given(_TOLD, description="with another status than running it has ended"),
    "EvaluationRowScore": object_of(_SCORE, description="what a scorer said of a row"),
    "EvaluationRowScoreGiven": given(_SCORE),
    "EvaluationRow": object_of({**_ROW, "scores": array(reference("EvaluationRowScore"))}),
    "EvaluationRowPage": page_of("EvaluationRow"),
    "EvaluationRowGiven": given({**_ROW, "scores": array(reference("EvaluationRowScoreGiven"))}, "position"),
    "EvaluationRowsGiven": object_of({"rows": array(reference("EvaluationRowGiven"))}),
    "EvaluationRowsKept": object_of({"rows": COUNT}),
    "EvaluationBatch": object_of(
        {"name": {"type": "string", "maxLength": batches.LONGEST_NAME}, **_BATCH},
        description="how far a batch has come",
    ),
    "EvaluationBatchPage": page_of("EvaluationBatch"),
    "EvaluationBatchChange": given(_BATCH, description="what is left out stays; the watermark goes forward only"),
    "EvaluationLease": object_of(
        {
            "name": TEXT,
            "holder": TEXT,
            "term": _TERM,
            "until_ms": MILLISECONDS,
            "seconds_left": {"type": "number", "minimum": 0},
        },
        description="who may do what only one may do at a time",
    ),
    "EvaluationLeaseAsked": object_of({"holder": _HOLDER, "seconds": _SECONDS}),
    "EvaluationLeaseExtended": object_of({"holder": _HOLDER, "term": _TERM, "seconds": _SECONDS}),
    "JudgeResponsesAsked": object_of({"keys": {**array(TEXT), "maxItems": MOST_RESPONSES}}),
    "JudgeResponses": object_of(
        {"responses": {**TEXTS, "description": "the JSON texts of those that are known, by their keys"}}
    ),
    "JudgeResponse": given(
        {
            "request_hash": {**TEXT, "description": "the key"},
            "response": ANYTHING,
            "model": OPTIONAL_TEXT,
            "input_tokens": {"type": ["integer", "null"], "minimum": 0},
            "output_tokens": {"type": ["integer", "null"], "minimum": 0},
            "cost_usd": COST,
        },
        *("request_hash", "response"),
    ),
    "JudgeResponsesGiven": object_of({"responses": {**array(reference("JudgeResponse")), "maxItems": MOST_RESPONSES}}),
    "JudgeResponsesKept": object_of({"responses": COUNT}),
}
