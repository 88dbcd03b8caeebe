"""The description of the API says what it does."""

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from starlette.routing import Route

from hansei.collector.keys import Role
from hansei.feedback.api.app import api_routes
from hansei.feedback.api.assessment_json import CORRECTION_FIELDS, STATEMENT_FIELDS
from hansei.feedback.api.openapi import DOCUMENT, PATHS
from hansei.feedback.api.resource import Resource
from hansei.feedback.api.schemas import SCHEMAS

from .conftest import Api, Told

METHODS = ("get", "post", "put", "delete")


class _Site:
    """What making routes looks at."""

    class server:  # noqa: N801
        ingest = recovering = keys = None

    reader = None


def operations() -> dict[tuple[str, str], Any]:
    """Every operation that there is, with its role."""
    made = {}
    for route in api_routes(_Site):  # type: ignore[arg-type]
        assert isinstance(route, Route)
        if isinstance(route.app, Resource):
            path = re.sub(r":path}", "}", route.path)
            made |= {(path, method.lower()): each.role for method, each in route.app.operations.items()}
    return made


def documented() -> dict[tuple[str, str], dict[str, Any]]:
    return {(path, method): of[method] for path, of in PATHS.items() for method in METHODS if method in of}


def check(value: Any, schema: dict[str, Any]) -> None:
    """Raises where a value does not fit a schema of the document."""
    whole = {**schema, "components": DOCUMENT["components"]}
    Draft202012Validator(whole, format_checker=FormatChecker()).validate(value)


def test_every_route() -> None:
    """Every operation is described with its role, and nothing else is."""
    described = documented()
    assert set(described) == set(operations())
    for place, role in operations().items():
        said = re.findall(r"role `(\w+)`", described[place]["description"])
        assert said == ([role] if role else [])
        assert role in (None, Role.READ, Role.FEEDBACK)


def test_document(api: Api) -> None:
    """What is served is the document: its references lead somewhere, all of its schemas are used and are schemas."""
    served = Api(api.serving, None).get("/openapi.json")
    assert (served.status, served.json) == (200, DOCUMENT)
    named = set(re.findall(r"#/components/schemas/(\w+)", served.text))
    assert named == set(SCHEMAS)
    for schema in SCHEMAS.values():
        Draft202012Validator.check_schema(schema)
    for (path, _), operation in documented().items():
        parameters = [*PATHS[path].get("parameters", ()), *operation["parameters"]]
        in_path = {each["name"] for each in parameters if each["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path))
        names = [(each["name"], each["in"]) for each in parameters]
        assert len(names) == len(set(names))
        assert all(re.fullmatch(r"[2-5]\d\d", status) for status in operation["responses"])
        assert operation["security"]


def test_fields() -> None:
    """The fields that a body may have are those that are described."""
    assert set(SCHEMAS["NewAssessment"]["properties"]) == set(STATEMENT_FIELDS)
    assert set(SCHEMAS["Correction"]["properties"]) == set(CORRECTION_FIELDS)


def test_parameters(api: Api) -> None:
    """Every parameter of a query that is described is taken, and no other."""
    for (path, method), operation in documented().items():
        parameters = [*PATHS[path].get("parameters", ()), *operation["parameters"]]
        names = [each["name"] for each in parameters if each["in"] == "query"]
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
    for (path, method), operation in sorted(documented().items(), key=lambda each: each[0][1] == "delete"):
        body = BODIES.get((path, method))
        if body is not None:
            check(body, operation["requestBody"]["content"]["application/json"]["schema"])
        reply = api.ask(method.upper(), said.get(path, path).removeprefix("/api/v1"), body)
        described = operation["responses"][str(reply.status)]
        if reply.status != 204:
            check(reply.json, described["content"]["application/json"]["schema"])
            assert reply.json.get("items", True)
        assert set(map(str.lower, described.get("headers", {}))) - {"link"} <= set(reply.headers)
        wrong = api.ask(method.upper(), said.get(path, path).removeprefix("/api/v1").split("?")[0] + "?wrong=1", body)
        check(wrong.json, operation["responses"]["400"]["content"]["application/problem+json"]["schema"])
