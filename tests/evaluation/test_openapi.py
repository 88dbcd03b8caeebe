"""The description of the API says what evaluation does."""

import re
from typing import Any
from unittest.mock import MagicMock

import pytest
from jsonschema import Draft202012Validator
from starlette.routing import Route

from hansei.collector.keys import Role
from hansei.evaluation.api import batches, dataset_merges, datasets
from hansei.evaluation.api.app import evaluation_api_routes
from hansei.evaluation.api.openapi import EVALUATION
from hansei.evaluation.datasets.given import FIELDS
from hansei.evaluation.datasets.record import record_id_of
from hansei.evaluation.runs import sent
from hansei.feedback.api.resource import Resource

# The tests are no package whose name could be written out.
from ..api.described import check_answer, check_body, documented, names_in  # noqa: TID252
from ..asking import Api  # noqa: TID252
from ..collector.processes import Serving  # noqa: TID252
from .conftest import Traces

ONE = "/api/v1/datasets/{dataset}"
LEASE = "/api/v1/evaluation-leases/{name}"
LABELING = "/api/v1/labeling-sessions/{session}"
FILE = "/export", "records:import"
"""The paths whose answers or bodies are files."""


@pytest.fixture(scope="module")
def api(serving: Serving) -> Api:
    """Somebody who needs no key."""
    return Api(serving, None)


def test_every_route() -> None:
    """Every operation that is served is described with its role, and nothing else is."""
    served: dict[tuple[str, str], str | None] = {}
    for route in evaluation_api_routes(MagicMock()):
        assert isinstance(route, Route)
        path = route.path.replace(":path}", "}")
        if isinstance(route.app, Resource):
            served |= {(path, method.lower()): each.role for method, each in route.app.operations.items()}
        else:
            served[path, "get"] = Role.READ
    described = documented(EVALUATION.paths)
    assert {
        place: operation["description"].split("`")[1] for place, operation in described.items()
    } == served  # fmt: skip
    assert {tag for operation in described.values() for tag in operation["tags"]} == set(EVALUATION.tags)


def test_schemas() -> None:
    """All schemas are used and are schemas; the fields that a body may have are those that are described."""
    named = set(re.findall(r"#/components/schemas/(\w+)", f"{EVALUATION.paths}{EVALUATION.schemas}"))
    assert named - {"Problem"} == set(EVALUATION.schemas)
    for schema in EVALUATION.schemas.values():
        Draft202012Validator.check_schema(schema)
    for name, fields in {
        "NewEvaluationRun": sent.NEW,
        "EvaluationRunChange": sent.CHANGES,
        "EvaluationRowGiven": {*sent._ROW, "scores"},
        "EvaluationRowScoreGiven": sent._SCORE,
        "EvaluationBatchChange": batches.CHANGES,
        "NewDataset": datasets._NEW,
        "DatasetRecordGiven": FIELDS,
        "DatasetRecordsGiven": dataset_merges._MERGE,
    }.items():
        assert set(EVALUATION.schemas[name]["properties"]) == set(fields), name


@pytest.fixture
def paths(api: Api, traces: Traces) -> dict[str, str]:
    """What stands in the paths: of a run, a dataset, a labeling session, a batch, and a lease."""
    trace_id = traces.add({"question": "How?"}, "So.")
    schema = {"name": f"expected_{trace_id[:6]}", "type": "expectation", "input": {"type": "text"}, "title": "What?"}
    api.done("POST", "/label-schemas", schema)
    body = {"name": trace_id, "label_schemas": [schema["name"]], "assigned_users": ["ana"]}
    session = api.done("POST", "/labeling-sessions", body)["session_id"]
    api.done("POST", f"/labeling-sessions/{session}/items", {"trace_ids": [trace_id]})
    source = {"type": "HUMAN", "id": "ana"}
    api.say(
        {"trace_id": trace_id, "kind": "expectation", "name": schema["name"], "value": "Thus.", "source": source,
         "labeling_session_id": session},
    )  # fmt: skip
    api.serving.wait_stored()
    dataset = api.done("POST", "/datasets", {"name": f"made {trace_id}"})["dataset_id"]
    run = api.done("POST", "/evaluation-runs", {"name": "described"})["run_id"]
    return {
        "run_id": run, "dataset": dataset, "session": session, "name": f"nightly-{trace_id}/1-of-2", "version": "1",
        "trace_id": trace_id,
    }  # fmt: skip


def bodies(paths: dict[str, str]) -> dict[tuple[str, str], Any]:
    """What is sent to each."""
    score = {"name": "tone", "scorer": "tone", "version": "1", "value": {"a": [1]}, "rationale": "r",
             "source_type": "CODE", "source_id": "tone", "assessment_id": "e-1", "duration_ms": 0.5,
             "cost_usd": None}  # fmt: skip
    row = {"position": 0, "trace_id": paths["trace_id"], "inputs": {"q": 1}, "outputs": None,
           "expectations": {"x": 1}, "expected_by": {"x": {"rule": "only"}}, "tags": {"a": "b"}, "error": "",
           "duration_ms": 1.5, "scores": [score, {"name": "other", "skipped": "why"}]}  # fmt: skip
    record = {"inputs": {"q": 1}, "outputs": 2, "expectations": {"x": 1}, "tags": {"a": "b"},
              "source": {"trace": {"trace_id": paths["trace_id"], "span_id": "c" * 16},
                         "labels": {"x": {"rule": "only", "assessment_ids": ["a"], "source_ids": ["ana"]}},
                         "session": {"session_id": "talk"}, "file": {"name": "a.csv"}}}  # fmt: skip
    response = {"request_hash": paths["trace_id"], "response": {"a": 1}, "model": "m", "input_tokens": 1,
                "output_tokens": None, "cost_usd": 0.1}  # fmt: skip
    return {
        ("/api/v1/evaluation-runs", "post"): {
            "name": "nightly", "kind": "batch", "config": {"a": 1}, "funnel": {"seen": 1}, "dataset_id": "d",
            "dataset_version": 1, "labeling_session_id": "s", "batch": "nightly", "window_start_ms": 1,
            "window_end_ms": None, "tags": {"a": "b"},
        },
        ("/api/v1/evaluation-runs/{run_id}", "patch"): {
            "status": "running", "metrics": {"tone/mean": 1.5}, "intervals": {"tone/mean": [1, 2.5]},
            "funnel": {"seen": 1}, "message": "", "tags": {},
        },
        ("/api/v1/evaluation-runs/{run_id}/rows", "post"): {"rows": [row]},
        ("/api/v1/evaluation-batches/{name}", "put"): {
            "config": {"a": 1}, "schedule": "0 3 * * *", "watermark_ms": 1, "retry_from_ms": 0, "next_run_ms": None,
            "last_run_id": paths["run_id"], "status": "finished",
        },
        (LEASE, "post"): {"holder": "ana", "seconds": 60},
        (LEASE, "put"): {"holder": "ana", "term": 1, "seconds": 60.5},
        ("/api/v1/judge-responses", "post"): {"responses": [response]},
        ("/api/v1/judge-responses:find", "post"): {"keys": [paths["trace_id"]]},
        ("/api/v1/datasets", "post"): {"name": f"x {paths['trace_id']}", "description": "d", "tags": {"a": "b"}},
        (f"{ONE}/records:merge", "post"): {
            "records": [record, {"trace_id": paths["trace_id"]}, {"trace_id": "f" * 32}], "note": "first",
            "on_conflict": "newest", "file": "b.csv", "more": False,
        },
        (f"{ONE}/records:delete", "post"): {"record_ids": [record_id_of({"q": 1})], "note": "n"},
        (f"{LABELING}:sync", "post"): {"to_dataset": paths["dataset"], "on_conflict": "skip"},
        (f"{LABELING}:add-dataset", "post"): {"dataset": paths["dataset"], "version": 1},
    }  # fmt: skip


def test_answers(api: Api, paths: dict[str, str]) -> None:
    """Real bodies and real answers fit their schemas; so do errors."""
    sent_to = bodies(paths)
    operations = documented(EVALUATION.paths)
    takes_json = {
        place for place, operation in operations.items()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }  # fmt: skip
    assert takes_json == set(sent_to)
    kept = api.done("POST", f"/datasets/{paths['dataset']}/records:merge", {"records": [], "more": True})
    check_answer(200, kept, operations[f"{ONE}/records:merge", "post"])
    # What makes comes first, and what deletes last; a dataset's records before what is done with them.
    order = ("post", "put", "patch", "get", "delete")
    for path, method in sorted(
        operations, key=lambda place: (order.index(place[1]), "merge" not in place[0], -len(place[0]))
    ):
        operation, body = operations[path, method], sent_to.get((path, method))
        address = path.format(**paths).removeprefix("/api/v1")
        if body is not None:
            check_body(body, operation)
        if path.endswith(":import"):
            line = '{"inputs": {"q": 2}, "expectations": {"x": 2}}'
            reply = api.ask("POST", f"{address}?format=jsonl", line.encode())
        elif (path, method) == (LEASE, "delete"):
            reply = api.ask("DELETE", f"{address}?holder=ana&term=1")
        else:
            reply = api.ask(method.upper(), address, body)
        assert reply.status < 300, (path, method, reply.text)
        if path.endswith("/export"):
            assert reply.headers["content-type"] in operation["responses"]["200"]["content"]
            continue
        check_answer(reply.status, reply.json if reply.text else None, operation)
        assert method != "get" or reply.json.get("items", True), path
        described = operation["responses"][str(reply.status)].get("headers", {})
        assert set(map(str.lower, described)) - {"link"} <= set(reply.headers)


def test_parameters(api: Api, paths: dict[str, str]) -> None:
    """Every parameter of a query that is described is taken, and no other; who has none is told in the path's terms."""
    for (path, method), operation in documented(EVALUATION.paths).items():
        query = "&".join([*(f"{name}=" for name in names_in(operation, "query")), "no_such=1"])
        address = f"{path.format(**{**paths, 'version': '0'})}?{query}".removeprefix("/api/v1")
        reply = api.ask(method.upper(), address, {} if method in ("post", "put", "patch") else None)
        check_answer(400, reply.json, operation)
        if not path.endswith("/export"):
            assert [each["parameter"] for each in reply.json["errors"]] == ["no_such"], path


def test_problems(api: Api, paths: dict[str, str]) -> None:
    """What is not there, cannot be taken or is done already is answered as described."""
    gone = dict.fromkeys(paths, "nothing")
    for (path, method), operation in documented(EVALUATION.paths).items():
        responses = operation["responses"]
        address = path.format(**gone).removeprefix("/api/v1")
        if "application/json" in operation.get("requestBody", {}).get("content", {}):
            wrong = api.ask(method.upper(), path.format(**paths).removeprefix("/api/v1"), [])
            assert wrong.status == 422, (path, wrong.text)
            check_answer(422, wrong.json, operation)
        elif "404" in responses and method != "post":
            missing = api.ask(method.upper(), address)
            assert missing.status == 404, (path, missing.text)
            check_answer(404, missing.json, operation)
    run = f"/evaluation-runs/{paths['run_id']}"
    api.done("PATCH", run, {"status": "finished"})
    api.done("POST", f"/evaluation-leases/{paths['name']}", {"holder": "ana", "seconds": 60})
    api.done("PUT", f"/evaluation-batches/{paths['name']}", {"watermark_ms": 2})
    for place, body in {
        ("/api/v1/evaluation-runs/{run_id}", "patch"): {"status": "failed"},
        (LEASE, "post"): {"holder": "ben", "seconds": 60},
        (LEASE, "put"): {"holder": "ben", "term": 1, "seconds": 60},
        ("/api/v1/evaluation-batches/{name}", "put"): {"watermark_ms": 1},
        ("/api/v1/datasets", "post"): {"name": f"made {paths['trace_id']}"},
    }.items():
        reply = api.ask(place[1].upper(), place[0].format(**paths).removeprefix("/api/v1"), body)
        assert reply.status == 409, (place, reply.text)
        check_answer(409, reply.json, documented(EVALUATION.paths)[place])
