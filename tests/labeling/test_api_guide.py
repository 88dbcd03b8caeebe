"""What docs/labeling.md shows does what it says."""

import re
from pathlib import Path
from typing import Any

import pytest

import hansei
from hansei.feedback.labeling.openapi import LABELING_PATHS

# The tests are no package whose name could be written out.
from ..api.described import documented, names_in  # noqa: TID252
from ..collector.processes import Serving  # noqa: TID252
from .conftest import Api, call, send

GUIDE = (Path(__file__).parents[2] / "docs" / "labeling.md").read_text()


@pytest.mark.usefixtures("python")
def test_five_steps(serving: Serving, api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    """The steps of the guide make questions, a session, its items and its links, and what was labelled is found."""
    made, read = re.findall(r"(?ms)^```python\n(.*?)^```", GUIDE)
    (trace_id,) = send(serving, call())
    api.say({"trace_id": trace_id, "name": "helpful", "value": False})
    names: dict[str, Any] = {}
    exec(made, names)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "AddedItems(added=1, already_there=0, unknown=0)"
    assert [line.split()[0] for line in said[1:]] == ["ana@example.com", "bo@example.com"]
    session = names["session"]
    about = {"labeling_session_id": session.labeling_session_id, "evaluation_run_id": session.mlflow_run_id}
    api.say({"trace_id": trace_id, "name": "correct", "value": True, **about})
    exec(read, names)
    assert list(session.labels()["question"]) == ["correct"]
    assert list(hansei.search_traces(run_id=session.mlflow_run_id)["trace_id"]) == [trace_id]


def test_every_request() -> None:
    """Every request is in the guide with its parameters, and no other is."""
    told = {
        (f"/api/v1{path}".replace("{id}", "{session_id}"), method): text
        for methods, path, text in re.findall(r"(?m)^\| (.*?) ?`?(/l\S+)` \| (.*) \|$", GUIDE)
        for method in re.findall(r"[a-z]+", methods.lower())
    }
    described = documented(LABELING_PATHS)
    assert set(told) == set(described)
    for place, operation in described.items():
        names = set(names_in(operation, "query")) - {"limit", "page_token"}
        assert names <= set(re.findall(r"\??(\w+)=?", told[place])), place


def test_every_rule() -> None:
    """Every rule of the guide is one that is taken, and every kind of rule is in it."""
    from hansei.feedback.labeling.rules import TAKEN, rule_of

    shown = [rule_of(eval(text)) for text in re.findall(r"(?m)^\| `({.*?})`", GUIDE)]
    assert {rule.kind for rule in shown} == set(TAKEN)
