"""Labeling sessions: who answers what, and how they get there."""

import json
import time
from pathlib import Path

import pytest

import hansei
from hansei import InputPassFail
from hansei.cli import main
from hansei.feedback.labeling.errors import InvalidLabeling, LabelingConflict, LabelingError, UnknownLabeling
from hansei.feedback.labeling.model import DONE, LEASED, SKIPPED, Work
from hansei.feedback.labeling.reviewers import reviewer_by_link
from hansei.feedback.labeling.work import insert_work
from hansei.feedback.web.tables import Tables

from ..collector.processes import Serving  # noqa: TID252  The tests are no package whose name could be written out.
from .conftest import Api, call, send

pytestmark = pytest.mark.usefixtures("python")


def known(store: Tables, link: str, now_ms: int | None = None) -> tuple[str | None, str]:
    """Whose link it is, and their role; or None, and why."""
    found, reason = reviewer_by_link(store.query, link.rpartition("/")[2], now_ms=now_ms)
    return (found.reviewer, found.role) if found else (None, reason)


def test_made_read_and_deleted(name: str, question: str, serving: Serving) -> None:
    """A session is read as it was made, by its name and by its id, and is gone once it is deleted."""
    made = hansei.create_labeling_session(
        name,
        label_schemas=[question],
        assigned_users=["bo", "ana@example.com"],
        arbiters=["zoe"],
        reviewers_per_item=2,
        show_feedback=True,
    )
    assert made.url == f"{serving.ui}/labeling/{made.labeling_session_id}"
    for found in (hansei.get_labeling_session(name), hansei.get_labeling_session(made.labeling_session_id)):
        assert found.labeling_session_id == made.labeling_session_id
        assert found.mlflow_run_id == made.mlflow_run_id
        assert (found.name, found.status, found.label_schemas) == (name, "open", [question])
        assert (found.assigned_users, found.arbiters) == (["ana@example.com", "bo"], ["zoe"])
        assert found.settings == {
            "reviewers_per_item": 2, "show_feedback": True, "lease_minutes": 30.0, "link_days": 30.0, "rules": [],
        }  # fmt: skip
        assert found.reviewer_links == {}
    assert name in [each.name for each in hansei.get_labeling_sessions()]
    with pytest.raises(LabelingConflict, match=rf"a labeling session '{name}' \({made.labeling_session_id}\)"):
        hansei.create_labeling_session(name, label_schemas=[question])
    hansei.delete_labeling_session(made)
    with pytest.raises(UnknownLabeling, match=f"of the name or id '{name}'"):
        hansei.get_labeling_session(name)
    assert hansei.create_labeling_session(name, label_schemas=[question]).labeling_session_id != (
        made.labeling_session_id
    )


def test_links(name: str, question: str, store: Tables) -> None:
    """A link is good for its reviewer until it expires, is replaced, or the reviewer or the session is taken away."""
    session = hansei.create_labeling_session(name, label_schemas=[question], assigned_users=["ana"], arbiters=["zoe"])
    ana, zoe = session.reviewer_links["ana"], session.reviewer_links["zoe"]
    assert (known(store, ana), known(store, zoe)) == (("ana", "reviewer"), ("zoe", "arbiter"))
    days = 24 * 3600 * 1000
    now = time.time_ns() // 1_000_000
    assert known(store, ana, now + 29 * days) == ("ana", "reviewer")
    assert known(store, ana, now + 31 * days) == (None, "expired")
    assert known(store, ana[:-1]) == known(store, ana + "A") == known(store, "") == (None, "unknown")
    renewed = session.rotate_link("ana")
    assert session.reviewer_links["ana"] == renewed != ana
    assert (known(store, ana), known(store, renewed)) == ((None, "unknown"), ("ana", "reviewer"))
    session.set_assigned_users(["bo", "ana"])
    assert known(store, renewed) == ("ana", "reviewer")
    bo = session.reviewer_links["bo"]
    session.set_assigned_users(["bo"], arbiters=["ana"])
    assert (known(store, renewed), known(store, zoe)) == (("ana", "arbiter"), (None, "unknown"))
    assert (session.assigned_users, session.arbiters) == (["bo"], ["ana"])
    assert set(session.reviewer_links) == {"bo", "ana"}
    with pytest.raises(UnknownLabeling, match="nobody by the name of 'zoe'"):
        session.rotate_link("zoe")
    hansei.delete_labeling_session(session)
    assert known(store, bo) == (None, "unknown")


def test_links_are_not_stored(name: str, question: str, store: Tables) -> None:
    """The tables hold nothing by which a link could be made."""
    session = hansei.create_labeling_session(name, label_schemas=[question], assigned_users=["ana"])
    token = session.reviewer_links["ana"].rpartition("/")[2]
    assert len(token) == 43
    for table in ("labeling_reviewers", "labeling_sessions"):
        rows = store.query(f"SELECT * FROM {table}", {})
        assert rows
        assert token not in str(rows)


def test_items(name: str, question: str, serving: Serving) -> None:
    """Traces, spans and conversations are added as people have them, each once; what has not come is counted."""
    calls = [call(conversation=f"{name}-talk") for _ in range(3)]
    first, second, third = send(serving, *calls)
    session = hansei.create_labeling_session(name, label_schemas=[question])

    def added(*args: object, **more: object) -> tuple[int, int, int]:
        done = session.add_traces(*args, **more).added  # type: ignore[arg-type]
        assert done
        return done.added, done.already_there, done.unknown

    frame = hansei.search_traces(session_id=f"{name}-talk")
    assert added(frame) == (3, 0, 0)
    assert added(hansei.search_traces(session_id=f"{name}-talk", return_type="list")) == (0, 3, 0)
    assert added([first, second.upper(), third, first, "f" * 32]) == (1, 3, 1)
    assert added([(first, calls[0].span_id), (first, "1" * 16)], reason="odd") == (2, 0, 1)
    assert added(hansei.get_trace(second)) == (0, 1, 0)
    assert added(session_ids=[f"{name}-talk", "nobody's"]) == (2, 0, 1)
    assert added(filter_string=f"session = '{name}-talk'", max_results=2) == (0, 0, 0)
    for wrong, said in (
        (["tr-1"], "'tr-1' is not 32 hexadecimal digits"),
        ([3], "traces: 3 is none; give a DataFrame"),
        (frame[["state"]], "the DataFrame has no column trace_id"),
    ):
        with pytest.raises(InvalidLabeling, match=said):
            session.add_traces(wrong)
    with pytest.raises(LabelingError, match="filter: "):
        session.add_traces(filter_string="nonsense = 1")


def test_many_items(name: str, question: str, api: Api) -> None:
    """Twenty thousand items are added at once, and read page by page in the order in which they were given."""
    session = hansei.create_labeling_session(name, label_schemas=[question])
    wanted = [f"{number:032x}" for number in range(20_000, 0, -1)]
    began = time.monotonic()
    done = session.add_traces(wanted).added
    assert done
    assert (done.added, done.already_there) == (20_000, 0)
    assert time.monotonic() - began < 5
    address = f"/labeling-sessions/{session.labeling_session_id}/items?limit=1000"
    page = api.done("GET", address)
    assert [each["trace_id"] for each in page["items"]] == wanted[:1000]
    page = api.done("GET", f"{address}&page_token={page['next_page_token']}")
    assert [each["trace_id"] for each in page["items"]] == wanted[1000:2000]


def test_progress(name: str, question: str, store: Tables) -> None:
    """An item is done once as many as are asked for have answered; what is missing takes the median of the past."""
    session = hansei.create_labeling_session(
        name, label_schemas=[question], assigned_users=["ana", "bo"], arbiters=["zoe"], reviewers_per_item=2
    )
    assert session.progress()["seconds_left"] == 0
    session.add_traces([f"{number:032x}" for number in range(4)][1:])
    assert session.progress()["seconds_left"] is None
    later = time.time_ns() // 1_000_000 + 60_000
    items = [f"t-{number:032x}" for number in (1, 2, 3)]
    for work in (
        Work(items[0], "ana", DONE, 1, 1, seconds=10),
        Work(items[0], "bo", DONE, 2, 2, seconds=20, flag="is it ours?"),
        Work(items[1], "ana", DONE, 3, 3, seconds=60),
        Work(items[1], "bo", LEASED, 4, later),
        Work(items[2], "ana", SKIPPED, 5, 5),
        Work(items[2], "bo", LEASED, 4, 4),
        Work(items[0], "zoe", DONE, 6, 6, seconds=1),
        Work("t-gone", "ana", DONE, 7, 7),
    ):
        insert_work(store, session.labeling_session_id, work)
    whole = session.progress()
    reviewers = whole.pop("reviewers")
    assert whole == {
        "items": 3, "done": 1, "begun": 1, "in_work": 1, "skipped": 1, "flagged": 1, "answers": 3, "remaining": 3,
        "median_seconds": 20.0, "seconds_left": 60.0,
    }  # fmt: skip
    assert [
        [each[key] for key in ("reviewer", "role", "done", "in_work", "skipped", "flagged")] for each in reviewers
    ] == [
        ["ana", "reviewer", 2, 0, 1, 0],
        ["bo", "reviewer", 1, 1, 0, 1],
        ["zoe", "arbiter", 1, 0, 0, 0],
    ]


def test_closed_and_opened(name: str, question: str) -> None:
    """A session can be closed and opened again, and its settings changed one by one."""
    session = hansei.create_labeling_session(name, label_schemas=[question], lease_minutes=5)
    assert session.close().status == hansei.get_labeling_session(name).status == "closed"
    assert session.reopen().status == "open"
    rule = {"kind": "negative_feedback"}
    assert session.set_rules([rule]).settings["rules"] == [{**rule, "since": "7d"}]
    assert session.settings["lease_minutes"] == 5


def test_mistakes(name: str, question: str) -> None:
    """What cannot be a session is refused in a line that names the argument and what would be allowed."""
    for change, said in (
        ({"label_schemas": []}, r"label_schemas: \[\] is not a list of 1 to 50"),
        ({"label_schemas": ["nothing"]}, "label_schemas: there is no label schema 'nothing'; there are "),
        ({"label_schemas": [question, question]}, "has one twice"),
        ({"assigned_users": "ana"}, "assigned_users: 'ana' is not a list of texts"),
        ({"assigned_users": ["a\nb"]}, r"assigned_users: 'a\\nb' is not a text of one line"),
        ({"assigned_users": ["ana"], "arbiters": ["ana"]}, "arbiters: 'ana' is an assigned user too"),
        ({"reviewers_per_item": 0}, "reviewers_per_item: 0 is not a whole number from 1 to 20"),
        ({"lease_minutes": 0}, "lease_minutes: 0 is not a number above 0 and up to 1440"),
        ({"link_days": "9"}, "link_days: '9' is not a number"),
        ({"rules": [{"kind": "odd"}]}, "kind: 'odd' is not one of negative_feedback, disagreement, low_score"),
    ):
        with pytest.raises(InvalidLabeling, match=said):
            hansei.create_labeling_session(name, **{"label_schemas": [question], **change})  # type: ignore[arg-type]
    with pytest.raises(InvalidLabeling, match="session: 'x' is not a LabelingSession"):
        hansei.delete_labeling_session("x")  # type: ignore[arg-type]


def test_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no hansei answers, or the key is wrong, the error says what to do."""
    monkeypatch.setenv("HANSEI_API_KEY", "wrong")
    with pytest.raises(LabelingError, match=r"the key is not known here.*set HANSEI_API_KEY to a key with the role"):
        hansei.list_label_schemas()
    monkeypatch.setenv("HANSEI_URL", "http://127.0.0.1:9")
    with pytest.raises(LabelingError, match="start `hansei serve`, or set HANSEI_URL to where it runs"):
        hansei.list_label_schemas()


def test_command(name: str, serving: Serving, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """`hansei labeling` makes a session from a filter, tells links, lists and closes it, and exports its labels."""
    hansei.create_label_schema(name, type="feedback", input=InputPassFail(), title="Right?")
    (trace_id,) = send(serving, call(user=name))

    def said(*words: str) -> str:
        assert main(["labeling", *words]) == 0
        return capsys.readouterr().out

    out = said("create-session", "--name", name, "--schema", name, "--user", "ana", "--filter", f"user = '{name}'")
    session = hansei.get_labeling_session(name)
    url, _, link, count = out.splitlines()
    assert (url, count) == (session.url, "1 traces were added")
    assert link.startswith(f"ana       {serving.ui}/review/")
    assert said("links", name, "--user", "ana").splitlines()[1] != link
    line = next(line for line in said("schemas", "list").splitlines() if name in line)
    assert line.split()[:4] == [name, "1", "feedback", "pass_fail"]
    line = next(line for line in said("sessions", "list").splitlines() if name in line)
    assert line.split() == [session.labeling_session_id, name, "open", "1", "0", "ana"]
    assert said("close", name) == f"{name} is closed\n"
    hansei.feedback_client().log_assessment(
        trace_id,
        hansei.Feedback(name, True, labeling_session_id=session.labeling_session_id),
    )
    serving.wait_stored()
    file = tmp_path / "labels.jsonl"
    said("export", name, "--output", str(file))
    assert json.loads(file.read_text())["item_id"] == f"t-{trace_id}"
    assert main(["labeling", "close", "nothing"]) == 2
    assert capsys.readouterr().err == "hansei: there is no labeling session of the name or id 'nothing'\n"
