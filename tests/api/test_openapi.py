"""The description of the API says what it does."""

import re
from typing import Any
from unittest.mock import MagicMock

import pytest
from jsonschema import Draft202012Validator
from starlette.routing import Route

from hansei.collector.keys import Role
from hansei.feedback.api.assessment_json import CORRECTION_FIELDS, STATEMENT_FIELDS
from hansei.feedback.api.openapi import OWN_PATHS, PATHS, SCHEMAS, document
from hansei.feedback.api.resource import Resource, Unknown
from hansei.feedback.web.site import routes

from .conftest import Api, Told
from .described import DOCUMENT, check_answer, check_body, documented, names_in

_METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
_UNTOLD = "untold"


def operations() -> dict[tuple[str, str], str | None]:
    """Every operation of ``/api/v1`` that is served, with the role that it takes, as far as its route tells."""
    made: dict[tuple[str, str], str | None] = {}
    for route in routes(MagicMock()):
        if not isinstance(route, Route) or not route.path.startswith("/api/v1") or isinstance(route, Unknown):
            continue
        path = re.sub(r":path}", "}", route.path)
        if isinstance(route.app, Resource):
            made |= {(path, method.lower()): each.role for method, each in route.app.operations.items()}
        else:
            made |= dict.fromkeys(((path, method.lower()) for method in {*route.methods} & _METHODS), _UNTOLD)
    return made


def test_every_route() -> None:
    """Every operation that is served is described with its role, under a tag of the document, and nothing else is."""
    described = documented(PATHS)
    assert set(described) == set(operations())
    tags = {each["name"] for each in document()["tags"]}
    assert {tag for operation in described.values() for tag in operation["tags"]} == tags
    for place, role in operations().items():
        said = re.findall(r"role `(\w+)`", described[place]["description"])
        assert role == _UNTOLD or said == ([role] if role else []), place
        assert role in (None, Role.READ, Role.FEEDBACK, Role.REVIEW, _UNTOLD)


def test_document(api: Api) -> None:
    """What is served is the document: its references lead somewhere, all of its schemas are used and are schemas."""
    served = Api(api.serving, None).get("/openapi.json")
    assert (served.status, served.json) == (200, DOCUMENT)
    named = set(re.findall(r"#/components/schemas/(\w+)", served.text))
    assert named == set(DOCUMENT["components"]["schemas"])
    for schema in SCHEMAS.values():
        Draft202012Validator.check_schema(schema)
    for (path, _), operation in documented(DOCUMENT["paths"]).items():
        assert set(names_in(operation, "path")) == set(re.findall(r"{(\w+)}", path))
        names = [(each["name"], each["in"]) for each in operation["parameters"]]
        assert len(names) == len(set(names))
        assert all(re.fullmatch(r"[2-5]\d\d", status) for status in operation["responses"])
        assert operation["security"]


def test_fields() -> None:
    """The fields that a body may have are those that are described."""
    assert set(SCHEMAS["NewAssessment"]["properties"]) == set(STATEMENT_FIELDS)
    assert set(SCHEMAS["Correction"]["properties"]) == set(CORRECTION_FIELDS)


def test_parameters(api: Api) -> None:
    """Every parameter of a query that is described is taken, and no other."""
    for (path, method), operation in documented(OWN_PATHS).items():
        names = names_in(operation, "query")
        real = re.sub(r"{\w+}", "0" * 31 + "1", path).removeprefix("/api/v1")
        query = "&".join(f"{name}=" for name in [*names, "no_such"])
        problem = api.ask(method.upper(), f"{real}?{query}", {} if method in ("post", "put") else None).json
        assert [each["parameter"] for each in problem["errors"]] == ["no_such"], path


@pytest.fixture(scope="module")
def said(api: Api, told: Told) -> dict[str, str]:
    """Places of things that there are."""
    trace_id = told.trace_ids[0]
    feedback = {"trace_id": trace_id, "name": "helpful", "value": [1], "rationale": "r", "metadata": {"a": 1}}
    made = api.post(feedback).json["assessment_id"]
    of = f"/api/v1/assessments/{made}"
    api.post({"session_id": told.session_id, "error": {"code": "E", "message": "m"}})
    api.post({"trace_id": "1" * 32, "kind": "expectation", "name": "lost", "value": None})
    api.serving.wait_stored()
    return {
        "/api/v1/assessments/{assessment_id}": f"{of}?trace_id={trace_id}",
        "/api/v1/assessments/{assessment_id}/history": f"{of}/history?trace_id={trace_id}",
        "/api/v1/traces/{trace_id}": f"/api/v1/traces/{trace_id}",
        "/api/v1/sessions/{session_id}": f"/api/v1/sessions/{told.session_id}",
    }


BODIES: dict[tuple[str, str], Any] = {
    ("/api/v1/assessments", "post"): {"session_id": "s", "value": "a", "source": {"type": "HUMAN", "id": None}},
    ("/api/v1/assessments:batch", "post"): [{"trace_id": "A" * 32, "kind": "expectation", "name": "n", "value": 1}],
    ("/api/v1/assessments/{assessment_id}", "put"): {"error": {"code": "E"}, "metadata": None, "rationale": "r"},
}


def test_answers(api: Api, said: dict[str, str]) -> None:
    """Real answers and real bodies fit their schemas; so do errors."""
    # What deletes comes last.
    for (path, method), operation in sorted(documented(OWN_PATHS).items(), key=lambda each: each[0][1] == "delete"):
        body = BODIES.get((path, method))
        if body is not None:
            check_body(body, operation)
        reply = api.ask(method.upper(), said.get(path, path).removeprefix("/api/v1"), body)
        described = operation["responses"][str(reply.status)]
        check_answer(reply.status, reply.json if reply.text else None, operation)
        assert reply.status == 204 or reply.json.get("items", True)
        assert set(map(str.lower, described.get("headers", {}))) - {"link"} <= set(reply.headers)
        wrong = api.ask(method.upper(), said.get(path, path).removeprefix("/api/v1").split("?")[0] + "?wrong=1", body)
        check_answer(400, wrong.json, operation)
