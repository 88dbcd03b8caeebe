"""The routes of evaluation, as the description of the API has them."""

from typing import Final

from hansei.collector.keys import Role
from hansei.evaluation.api.openapi_datasets import DATASET_PATHS, DATASET_SCHEMAS
from hansei.evaluation.api.openapi_schemas import RUN_SCHEMAS
from hansei.evaluation.runs.record import KINDS
from hansei.feedback.api.described import (
    LOCATION,
    NEXT,
    PAGES,
    READING,
    Description,
    answer,
    in_path,
    in_query,
    operation,
    tagged,
)
from hansei.feedback.api.resource import PREFIX
from hansei.feedback.api.schemas import Schema, reference

_LOOKING: Final = (*READING, "404")
_SENDING: Final = (*READING, "413", "415", "422")
_CHANGING: Final = (*_SENDING, "404", "409")
_GONE: Final[dict[str, Schema]] = {"204": {"description": "it is gone"}}
_RUN: Final = in_path("run_id")
_BATCH: Final[Schema] = {**in_path("name"), "description": "of a part of a batch: with a slash, as nightly/1-of-4"}
_LEASE: Final[Schema] = {**in_path("name"), "description": "it may have slashes in it"}

_RUNS: Final[dict[str, Schema]] = {
    f"{PREFIX}/evaluation-runs": {
        "get": operation(
            "Runs, the last to start first",
            Role.READ,
            {"200": answer("EvaluationRunPage", "a page", NEXT)},
            READING,
            (
                in_query("kind", enum=list(KINDS)),
                in_query("batch", "of the batch of this name"),
                in_query("name", "of this name"),
                *PAGES,
            ),
        ),
        "post": operation(
            "Begin a run",
            Role.FEEDBACK,
            {"201": answer("EvaluationRun", "it is stored", LOCATION)},
            _SENDING,
            (),
            reference("NewEvaluationRun"),
        ),
    },
    f"{PREFIX}/evaluation-runs/{{run_id}}": {
        "parameters": [_RUN],
        "get": operation("A run", Role.READ, {"200": answer("EvaluationRun", "it")}, _LOOKING),
        "patch": operation(
            "Tell how far a run is, or how it ended",
            Role.FEEDBACK,
            {"200": answer("EvaluationRun", "as it is from now on")},
            _CHANGING,
            (),
            reference("EvaluationRunChange"),
        ),
        "delete": operation("Take a run away; its scores stay", Role.FEEDBACK, _GONE, _LOOKING),
    },
    f"{PREFIX}/evaluation-runs/{{run_id}}/rows": {
        "parameters": [_RUN],
        "get": operation(
            "The rows of a run, in their order",
            Role.READ,
            {"200": answer("EvaluationRowPage", "a page", NEXT)},
            _LOOKING,
            PAGES,
        ),
        "post": operation(
            "Keep rows of a run; one of a position that is there replaces it",
            Role.FEEDBACK,
            {"200": answer("EvaluationRowsKept", "they are stored")},
            (*_SENDING, "404"),
            (),
            reference("EvaluationRowsGiven"),
        ),
    },
}
_BATCHES: Final[dict[str, Schema]] = {
    f"{PREFIX}/evaluation-batches": {
        "get": operation(
            "How far each batch has come, by name",
            Role.READ,
            {"200": answer("EvaluationBatchPage", "all of them")},
            READING,
        ),
    },
    f"{PREFIX}/evaluation-batches/{{name}}": {
        "parameters": [_BATCH],
        "get": operation("How far a batch has come", Role.READ, {"200": answer("EvaluationBatch", "it")}, _LOOKING),
        "put": operation(
            "Say how far a batch has come; it need not be there yet",
            Role.FEEDBACK,
            {"200": answer("EvaluationBatch", "as it is from now on")},
            (*_SENDING, "409"),
            (),
            reference("EvaluationBatchChange"),
        ),
        "delete": operation(
            "Forget how far a batch has come; its runs and scores stay", Role.FEEDBACK, _GONE, _LOOKING
        ),
    },
    f"{PREFIX}/evaluation-leases/{{name}}": {
        "parameters": [_LEASE],
        "get": operation(
            "Who holds a lease, or held it last", Role.READ, {"200": answer("EvaluationLease", "it")}, _LOOKING
        ),
        "post": operation(
            "Take a lease, unless another holds it",
            Role.FEEDBACK,
            {"201": answer("EvaluationLease", "it is theirs")},
            (*_SENDING, "409"),
            (),
            reference("EvaluationLeaseAsked"),
        ),
        "put": operation(
            "Have a lease for longer, unless it is over",
            Role.FEEDBACK,
            {"200": answer("EvaluationLease", "it is still theirs")},
            (*_SENDING, "409"),
            (),
            reference("EvaluationLeaseExtended"),
        ),
        "delete": operation(
            "End a lease, unless it is over",
            Role.FEEDBACK,
            {"204": {"description": "it is free"}},
            (*READING, "409", "422"),
            (in_query("holder"), in_query("term", type="integer", minimum=0)),
        ),
    },
}
_RESPONSES: Final[dict[str, Schema]] = {
    f"{PREFIX}/judge-responses:find": {
        "post": operation(
            "What models answered before, by the hashes of the requests",
            Role.READ,
            {"200": answer("JudgeResponses", "those that are known")},
            _SENDING,
            (),
            reference("JudgeResponsesAsked"),
        ),
    },
    f"{PREFIX}/judge-responses": {
        "post": operation(
            "Keep what models answered",
            Role.FEEDBACK,
            {"200": answer("JudgeResponsesKept", "they are stored")},
            _SENDING,
            (),
            reference("JudgeResponsesGiven"),
        ),
    },
}

EVALUATION: Final = Description(
    tags={
        "runs": "evaluations, with their metrics and rows",
        "batches": "how far batches over stored traces have come, and who runs them",
        "judges": "answers of models, so that none is asked twice",
        "datasets": "records with what is expected of them, version by version",
    },
    paths={
        **tagged("runs", _RUNS),
        **tagged("batches", _BATCHES),
        **tagged("judges", _RESPONSES),
        **DATASET_PATHS,
    },
    schemas={**RUN_SCHEMAS, **DATASET_SCHEMAS},
)
"""What evaluation adds to the description of the API."""
