"""The description of the API says what labeling does."""

import re
from typing import Any

import pytest

from hansei.feedback.labeling import api
from hansei.feedback.labeling.inputs import INPUTS
from hansei.feedback.labeling.openapi import LABELING_PATHS, LABELING_SCHEMAS
from hansei.feedback.labeling.rules import COMMON, TAKEN

# The tests are no package whose name could be written out.
from ..api.described import check, check_answer, check_body, documented, names_in  # noqa: TID252
from ..collector.processes import Serving  # noqa: TID252
from .conftest import Api, call, send

ONE = "/api/v1/labeling-sessions/{session_id}"


def test_fields() -> None:
    """The fields that a body, a rule and an input may have are those that are described."""
    for name, fields in {
        "NewLabelSchema": api._SCHEMA,
        "NewLabelingSession": api._SESSION,
        "LabelingSessionChange": api._CHANGES,
        "LabelingItemsGiven": api._ITEMS,
        "LabelingReviewersGiven": api._REVIEWERS,
        "LabelingRuleAsked": api._PREVIEW,
        "LabelingRule": ("kind", *COMMON, *(part for parts in TAKEN.values() for both in parts for part in both)),
    }.items():
        assert set(LABELING_SCHEMAS[name]["properties"]) == set(fields), name
    described = {each["properties"]["type"]["const"]: each for each in LABELING_SCHEMAS["LabelInput"]["oneOf"]}
    assert {kind: set(each["properties"]) for kind, each in described.items()} == {
        kind: {"type", *(field for field in of.__slots__ if field != "TYPE")} for kind, of in INPUTS.items()
    }


@pytest.fixture
def paths(serving: Serving, api: Api, question: str, name: str) -> dict[str, str]:
    """What stands in the paths: of a session with two items and a reviewer, with a trace that is labelled."""
    traces = send(serving, call(), call())
    body = {"name": name, "label_schemas": [question], "assigned_users": ["ana"]}
    made = api.done("POST", "/labeling-sessions", body)["session_id"]
    api.done("POST", f"/labeling-sessions/{made}/items", {"trace_ids": traces})
    api.say({"trace_id": traces[0], "name": question, "value": True, "labeling_session_id": made})
    return {"session_id": made, "item_id": f"t-{traces[0]}", "reviewer": "ana", "name": f"{name}-made"}


def test_parameters(api: Api, paths: dict[str, str]) -> None:
    """Every parameter of a query that is described is taken, and no other."""
    for (path, method), operation in documented(LABELING_PATHS).items():
        query = "&".join([*(f"{name}=" for name in names_in(operation, "query")), "no_such=1"])
        body = {} if method in ("post", "put", "patch") else None
        reply = api.ask(method.upper(), f"{path.format(**paths).removeprefix('/api/v1')}?{query}", body)
        check_answer(400, reply.json, operation)
        assert [each["parameter"] for each in reply.json["errors"]] == ["no_such"], path


RULE = {"kind": "stratified", "by": "model", "each": 2, "filter": "service = 'shop'", "since": "4w", "maximum": 5}


def bodies(name: str, question: str) -> dict[tuple[str, str], Any]:
    """What is sent to each."""
    settings = {"reviewers_per_item": 2, "show_feedback": True, "lease_minutes": 5, "link_days": 7.5, "rules": [RULE]}
    return {
        ("/api/v1/label-schemas", "post"): {
            "name": f"{name}-made", "type": "expectation", "input": {"type": "text_list", "max_count": 3},
            "title": "What is right?", "instruction": "By the manual.", "enable_comment": False, "overwrite": True,
        },
        ("/api/v1/labeling-rules:preview", "post"): {"rule": RULE},
        ("/api/v1/labeling-sessions", "post"): {
            "name": f"{name}-2", "label_schemas": [question], "assigned_users": ["ana", "bo"], "arbiters": ["cleo"],
            "settings": settings,
        },
        (ONE, "patch"): {"status": "open", "settings": settings},
        (f"{ONE}/items", "post"): {
            "trace_ids": ["A" * 32], "spans": [{"trace_id": "b" * 32, "span_id": "c" * 16}], "session_ids": ["talk"],
            "reason": "asked for",
        },
        (f"{ONE}/reviewers", "put"): {"assigned_users": ["ana", "bo"], "arbiters": ["cleo"]},
    }  # fmt: skip


def test_answers(api: Api, paths: dict[str, str], question: str, name: str) -> None:
    """Real bodies and real answers fit their schemas; so do errors."""
    sent = bodies(name, question)
    # What makes comes first, and what deletes last; a session after what is in it.
    order = ("post", "put", "patch", "get", "delete")
    operations = documented(LABELING_PATHS)
    assert {place for place, operation in operations.items() if "requestBody" in operation} == set(sent)
    for path, method in sorted(operations, key=lambda place: (order.index(place[1]), -len(place[0]))):
        operation, body = operations[path, method], sent.get((path, method))
        if body is not None:
            check_body(body, operation)
        address = path.format(**paths).removeprefix("/api/v1")
        reply = api.ask(method.upper(), address, body)
        if address.endswith("/export"):
            assert reply.headers["content-type"] in operation["responses"]["200"]["content"]
            continue
        check_answer(reply.status, reply.json if reply.text else None, operation)
        assert reply.status < 300, reply.text
        assert method != "get" or reply.json.get("items", True)
        described = operation["responses"][str(reply.status)].get("headers", {})
        assert set(map(str.lower, described)) - {"link"} <= set(reply.headers)


def test_problems(api: Api, paths: dict[str, str]) -> None:
    """What is not there, cannot be taken or may not be done is answered as described."""
    gone = dict.fromkeys(paths, "nothing")
    for (path, method), operation in documented(LABELING_PATHS).items():
        responses = operation["responses"]
        address = path.format(**gone).removeprefix("/api/v1")
        stranger = Api(api.serving, None).ask(method.upper(), address)
        assert stranger.status == 401
        check_answer(401, stranger.json, operation)
        wrong = api.ask(
            method.upper(), path.format(**paths).removeprefix("/api/v1"), [] if "422" in responses else None
        )
        if "requestBody" in operation:
            assert wrong.status == 422
            check_answer(422, wrong.json, operation)
        elif "404" in responses:
            missing = api.ask(method.upper(), address)
            assert missing.status == 404
            check_answer(404, missing.json, operation)


@pytest.mark.parametrize("kind", list(INPUTS))
def test_inputs(kind: str) -> None:
    """An input as it is stored fits its schema."""
    made = INPUTS[kind](["a", "b"]) if kind.startswith("categorical") else INPUTS[kind]()  # type: ignore[call-arg]
    check(made.to_json(), LABELING_SCHEMAS["LabelInput"])
    assert re.fullmatch(r"[a-z_]+", kind)
