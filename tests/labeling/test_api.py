"""Labeling over HTTP: who may, what is answered, and how labels are found again."""

import csv
import io
import json
import re
import subprocess
import sys

import pytest

import hansei
from hansei.feedback.labeling.items import read_items

from ..collector.processes import Serving, clean_environment  # noqa: TID252  The tests are no package with a name.
from .conftest import Api, call, send, until

CONVENTIONAL = {"content-type": "application/problem+json", "cache-control": "no-store"}


def created_key(serving: Serving, *roles: str) -> str:
    """A key with these roles alone."""
    flags = [flag for role in roles for flag in ("--role", role)]
    made = subprocess.run(
        [sys.executable, "-m", "hansei.cli", "keys", "create", "--name", "some", *flags, "--data", str(serving.data)],
        env=clean_environment({}), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return next(word for word in made.stdout.split() if word.startswith("hansei_"))


def test_roles(serving: Serving, api: Api, question: str, name: str) -> None:
    """Reading takes the role read, changing takes the role review; without a key nothing is told."""
    reader, reviewer = (Api(serving, created_key(serving, role)) for role in ("read", "review"))
    until(lambda: reader.ask("GET", "/label-schemas").status == 200, "the keys to be known")
    body = {"name": name, "label_schemas": [question], "assigned_users": ["ana"]}
    assert reader.ask("POST", "/labeling-sessions", body).status == 403
    made = reviewer.done("POST", "/labeling-sessions", body)
    one = f"/labeling-sessions/{made['session_id']}"
    for method, path in (
        ("PATCH", one),
        ("DELETE", one),
        ("POST", f"{one}/items"),
        ("DELETE", f"{one}/items/t-1"),
        ("PUT", f"{one}/reviewers"),
        ("DELETE", f"{one}/reviewers/ana"),
        ("POST", f"{one}/reviewers/ana/link"),
        ("POST", "/label-schemas"),
        ("DELETE", f"/label-schemas/{question}"),
    ):
        assert reader.ask(method, path, {} if method in ("POST", "PUT", "PATCH") else None).status == 403, path
    for path in (one, f"{one}/items", f"{one}/reviewers", f"{one}/progress", f"{one}/export", "/label-schemas",
                 f"/label-schemas/{question}", "/labeling-sessions"):  # fmt: skip
        assert reader.ask("GET", path).status == 200, path
        assert reviewer.ask("GET", path).status == 403, path
        refused = Api(serving, None).ask("GET", path)
        assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
    reviewer.done("DELETE", f"{one}/reviewers/ana")
    assert reader.done("GET", f"{one}/reviewers")["items"] == []


def test_session(api: Api, question: str, name: str) -> None:
    """What is answered of a session tells its links once, and never what is kept of them."""
    reply = api.ask(
        "POST", "/labeling-sessions", {"name": name, "label_schemas": [question], "assigned_users": ["a/b"]}
    )
    made = reply.json
    one = f"/labeling-sessions/{made['session_id']}"
    assert (reply.status, reply.headers["location"]) == (201, f"/api/v1{one}")
    assert re.fullmatch(r"/review/[\w-]{43}", made.pop("links")["a/b"])
    (ana,) = made["reviewers"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:.]+Z", ana.pop("link_expires_at"))
    assert re.fullmatch(r"ls-[0-9a-f]{32}", made["session_id"])
    assert re.fullmatch(r"[0-9a-f]{32}", made["run_id"])
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:.]+Z", made["created_at"])
    assert {key: value for key, value in made.items() if key not in ("session_id", "run_id", "created_at")} == {
        "name": name,
        "status": "open",
        "path": f"/labeling/{made['session_id']}",
        "label_schemas": [api.done("GET", f"/label-schemas/{question}")],
        "settings": {
            "reviewers_per_item": 1, "show_feedback": False, "lease_minutes": 30.0, "link_days": 30.0, "rules": [],
        },
        "reviewers": [{"reviewer": "a/b", "role": "reviewer"}],
        "items": 0,
        "answers": 0,
    }  # fmt: skip
    made["reviewers"][0] = api.done("GET", f"{one}/reviewers")["items"][0]
    assert api.done("GET", one) == made
    assert api.done("GET", f"/labeling-sessions?name={name}")["items"] == [made]
    link = api.done("POST", f"{one}/reviewers/a/b/link")
    assert (link["reviewer"], link["link"][:8]) == ("a/b", "/review/")


def test_problems(api: Api, question: str, name: str) -> None:
    """What cannot be done is answered with problem details that say why."""
    made = api.done("POST", "/labeling-sessions", {"name": name, "label_schemas": [question]})
    one = f"/labeling-sessions/{made['session_id']}"
    for method, path, body, status, said in (
        ("GET", "/labeling-sessions/nothing", None, 404, "there is no labeling session 'nothing'"),
        ("GET", "/labeling-sessions/nothing/export", None, 404, "there is no labeling session 'nothing'"),
        ("DELETE", "/label-schemas/nothing", None, 404, "there is no label schema 'nothing'"),
        ("DELETE", f"{one}/items/t-1", None, 404, "there is no item 't-1'"),
        ("POST", "/labeling-sessions", {"name": name, "label_schemas": [question]}, 409, "name: there is a labeling"),
        ("POST", "/labeling-sessions", [], 422, "the body: it is not an object"),
        ("PATCH", one, {"status": "done"}, 422, "/status: 'done' is not one of open, closed"),
        (
            "PATCH",
            one,
            {"settings": {"colour": 1}},
            422,
            "/settings: there is no 'colour'; there are reviewers_per_item",
        ),
        ("POST", f"{one}/items", {"trace_ids": "x"}, 422, "/trace_ids: 'x' is not a list"),
        (
            "POST",
            f"{one}/items",
            {"spans": [{"trace_id": "1" * 32}]},
            422,
            "/spans: .* is not an object with a trace_id",
        ),
        ("POST", f"{one}/items", {"rule": {"kind": "filter", "filter": "x !"}}, 422, "/filter: "),
        (
            "POST",
            f"{one}/items",
            {"rule": {"kind": "random"}, "trace_ids": []},
            422,
            "/rule: there is something beside",
        ),
        ("POST", "/labeling-rules:preview", {}, 422, "/rule: there is none"),
        ("GET", f"{one}/items?limit=0", None, 400, "limit: '0' is not a whole number"),
        ("GET", f"{one}/items?page_token=x", None, 400, "page_token: 'x' is not the next_page_token"),
        ("GET", f"{one}/export?format=xls", None, 400, "format: 'xls' is not one of csv, jsonl, parquet"),
        ("PUT", one, {}, 405, "PUT is not done here; there are DELETE, GET, HEAD, OPTIONS, PATCH"),
    ):
        reply = api.ask(method, path, body)
        assert reply.status == status, reply.text
        assert re.match(said, reply.detail), reply.detail
        assert CONVENTIONAL.items() <= reply.headers.items()


@pytest.mark.usefixtures("python")
def test_labels_are_found(serving: Serving, api: Api, question: str, name: str) -> None:
    """Labels are exported with question and reviewer, and what was labelled is found by the session and by its run."""
    calls = [call() for _ in range(3)]
    first, second, _ = send(serving, *calls)
    session = hansei.create_labeling_session(name, label_schemas=[question], assigned_users=["ana"])
    session.add_traces([first, second])
    about = {"labeling_session_id": session.labeling_session_id, "evaluation_run_id": session.mlflow_run_id}
    said = {"name": question, "source": {"type": "HUMAN", "id": "ana"}, **about}
    version = {"label_schema": question, "label_schema_version": "1"}
    api.say(
        {**said, "trace_id": first, "value": True, "rationale": "yes, quite", "metadata": version},
        {**said, "trace_id": second, "span_id": calls[1].span_id, "value": False, "metadata": version},
        {**said, "session_id": "talk", "kind": "expectation", "value": ["a", "b"],
         "metadata": {**version, "comment": "so"}},
    )  # fmt: skip
    kept = ("kind", "trace_id", "span_id", "session_id", "reviewer", "question", "type", "value", "comment",
            "label_schema_version", "valid")  # fmt: skip
    found = session.labels("list")
    assert {tuple(json.dumps(each[key]) for key in kept) for each in found} == {
        tuple(map(json.dumps, row))
        for row in (
            ("trace", first, None, None, "ana", question, "feedback", True, "yes, quite", 1, True),
            ("span", second, calls[1].span_id, None, "ana", question, "feedback", False, None, 1, True),
            ("session", None, None, "talk", "ana", question, "expectation", ["a", "b"], "so", 1, True),
        )
    }
    assert list(session.labels().columns) == list(found[0])
    rows = list(csv.DictReader(io.StringIO(session.export("csv").decode())))
    assert {row["item_id"]: row["value"] for row in rows} == {
        each["item_id"]: json.dumps(each["value"], separators=(",", ":")) for each in found
    }
    for asked in ({"labeling_session": session.labeling_session_id}, {"run_id": session.mlflow_run_id}):
        assert set(hansei.search_traces(**asked)["trace_id"]) == {first, second}  # type: ignore[call-overload]


def test_export_of_nothing(api: Api, question: str, name: str) -> None:
    """A session without labels is exported as a heading alone."""
    made = api.done("POST", "/labeling-sessions", {"name": name, "label_schemas": [question]})
    reply = api.ask("GET", f"/labeling-sessions/{made['session_id']}/export")
    assert reply.text.startswith("item_id,kind,trace_id,")
    assert reply.text.count("\n") == 1
    assert reply.headers["content-disposition"].startswith('attachment; filename="labels-')


def test_added_by_several(serving: Serving, api: Api, store: object, question: str, name: str) -> None:
    """Items that many add at the same time are there once, and sessions of one name are made once."""
    from concurrent.futures import ThreadPoolExecutor

    one = api.done("POST", "/labeling-sessions", {"name": name, "label_schemas": [question]})["session_id"]
    ids = [f"{number:032x}" for number in range(1, 200)]
    with ThreadPoolExecutor(8) as many:
        added = list(
            many.map(lambda _: api.done("POST", f"/labeling-sessions/{one}/items", {"trace_ids": ids}), range(8))
        )
        body = {"name": f"{name}-2", "label_schemas": [question]}
        made = list(many.map(lambda _: api.ask("POST", "/labeling-sessions", body).status, range(8)))
    assert sorted((each["added"], each["already_there"]) for each in added) == [(0, 199)] * 7 + [(199, 0)]
    assert [item.trace_id for item in read_items(store.query, one)] == ids  # type: ignore[attr-defined]
    assert sorted(made) == [201, *[409] * 7]
