"""Who gets which item next, and what becomes of it: over the tables of a real collector."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hansei.collector.ingest import Refused
from hansei.feedback.labeling.assignment import Assigned, OwnItem, Submitted
from hansei.feedback.labeling.desk import Desk
from hansei.feedback.labeling.desk_errors import (
    AlreadyDone,
    InvalidAnswers,
    NotYours,
    SessionClosed,
    SlotTaken,
)
from hansei.feedback.labeling.desk_labels import label_id
from hansei.feedback.labeling.errors import InvalidLabel, UnknownLabeling
from hansei.feedback.labeling.items import conversation_item
from hansei.feedback.labeling.model import Item, SessionSettings
from hansei.feedback.web.reader import StoreAway

# The tests are no package whose name could be written out.
from ..collector.processes import Serving  # noqa: TID252
from .desk_room import ADMIN_KEY, ANSWERS, Room


@pytest.fixture(scope="module")
def desk_serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A collector that every test uses; none may stop it."""
    running = Serving(tmp_path_factory.mktemp("desk") / "data", "--segment-age=30ms", HANSEI_ADMIN_KEY=ADMIN_KEY)
    yield running
    running.close()


@pytest.fixture(scope="module")
def shared_room(desk_serving: Serving) -> Iterator[Room]:
    opened = Room(desk_serving)
    yield opened
    opened.close()


@pytest.fixture
def room(shared_room: Room) -> Iterator[Room]:
    """The collector's tables, with a clock that is right."""
    yield shared_room
    shared_room.clock.ahead = 0
    shared_room.logs.fault = None


def begun(assigned: Assigned | None) -> str:
    """The id of an item that must be there."""
    assert assigned is not None
    return assigned.item.item_id


# --- handing out ---


def test_order(room: Room) -> None:
    """Items are handed out in their order, begun ones before new ones; each reviewer has one until it is handed in."""
    items = [room.item() for _ in range(3)]
    desk = room.desk(items, 2)
    first, second, third = (item.item_id for item in items)
    given = [(who, begun(desk.next_item(who))) for who in ("ana", "ben", "eva", "ana")]
    assert given == [("ana", first), ("ben", first), ("eva", second), ("ana", first)]
    desk.submit("ana", first, ANSWERS, 20)
    assert begun(desk.next_item("ana")) == second
    desk.submit("ana", second, ANSWERS, 20)
    assert begun(desk.next_item("ana")) == third
    desk.submit("ana", third, ANSWERS, 20)
    assert desk.next_item("ana") is None
    assert desk.history("ana") == [
        OwnItem(item.item_id, "done", own.leased_ms) for item, own in zip(items, desk.history("ana"), strict=True)
    ]
    progress = desk.progress("ben")
    assert (progress.position, progress.done, progress.left, progress.seconds_left) == (1, 0, 2, 40)


def test_going_back(room: Room) -> None:
    """Behind an earlier item comes the own one after it, and behind the last one what is to be done."""
    items = [room.item() for _ in range(3)]
    desk = room.desk(items)
    for item in items[:2]:
        begun(desk.next_item("ana"))
        desk.submit("ana", item.item_id, ANSWERS, 5)
    assert begun(desk.next_item("ana")) == items[2].item_id
    back = desk.open_item("ana", items[0].item_id)
    assert (back.state, back.answers, back.seconds, back.lease_until_ms) == ("done", ANSWERS, 5, None)
    seen = [begun(desk.next_item("ana", after=item.item_id)) for item in items]
    assert seen == [items[1].item_id, items[2].item_id, items[2].item_id]


def test_items_come_and_go(room: Room) -> None:
    """Items that are added to a session are handed out, and those that are removed are not, without a restart."""
    items = [room.item() for _ in range(3)]
    desk = room.desk(items[:2])
    session_id = desk.session.session_id
    room.add(session_id, items[:1], deleted=True)
    room.add(session_id, items[2:])
    desk._claims.refresh(must=True)
    assert begun(desk.next_item("ana")) == items[1].item_id
    assert begun(desk.next_item("ben")) == items[2].item_id
    assert desk.next_item("eva") is None
    room.write_session(session_id, SessionSettings(reviewers_per_item=2))
    assert begun(desk.next_item("eva")) == items[1].item_id


def test_skip(room: Room) -> None:
    """A skipped item goes to another, not again to who skipped it; they may still hand it in while it is free."""
    items = [room.item(), room.item()]
    desk = room.desk(items)
    first, second = (item.item_id for item in items)
    begun(desk.next_item("ana"))
    desk.skip("ana", first, "I do not know this product")
    assert begun(desk.next_item("ana")) == second
    assert begun(desk.next_item("ben")) == first
    with pytest.raises(SlotTaken):
        desk.submit("ana", first, ANSWERS, 1)
    desk.skip("ben", first)
    assert desk.next_item("eva") is not None
    desk.skip("eva", first)
    desk.submit("ana", first, ANSWERS, 1)
    with pytest.raises(AlreadyDone, match="handed this item in"):
        desk.skip("ana", first)
    own = desk.history("ana")
    assert {(item.item_id, item.state, item.flag) for item in own} == {
        (first, "done", "I do not know this product"),
        (second, "leased", ""),
    }


def test_release(room: Room) -> None:
    """The organiser gives what a reviewer has not finished to others; what is handed in stays."""
    items = [room.item() for _ in range(3)]
    desk = room.desk(items)
    first, second, _ = (item.item_id for item in items)
    begun(desk.next_item("ana"))
    desk.submit("ana", first, ANSWERS, 1)
    begun(desk.next_item("ana"))
    with pytest.raises(AlreadyDone):
        desk.release(first, "ana")
    assert [desk.release_all("ana"), desk.release_all("ana"), desk.release(second, "ben")] == [1, 0, False]
    assert begun(desk.next_item("ben")) == second
    with pytest.raises(SlotTaken):
        desk.heartbeat("ana", second, 1)
    assert desk.open_item("ana", second).state == "released"


def test_closed(room: Room) -> None:
    """A session that is closed or deleted hands nothing out and takes nothing."""
    desk = room.desk(2)
    item_id = begun(desk.next_item("ana"))
    room.write_session(desk.session.session_id, SessionSettings(), status="closed")
    desk._claims.refresh(must=True)
    assert desk.next_item("ana") is None
    for act in (
        lambda: desk.submit("ana", item_id, ANSWERS, 1),
        lambda: desk.save_draft("ana", item_id, ANSWERS, 1, 1),
        lambda: desk.heartbeat("ana", item_id, 1),
        lambda: desk.skip("ana", item_id),
    ):
        with pytest.raises(SessionClosed, match="closed this session"):
            act()
    assert desk.progress("ana").left == 0
    with pytest.raises(UnknownLabeling, match="no labeling session 'none'"):
        room.desks().of("none")


def test_strangers_items(room: Room) -> None:
    """A reviewer can do nothing with an item that was never theirs: not even see whether others have it."""
    desk = room.desk(1)
    item_id = begun(desk.next_item("ana"))
    for strange in (item_id, "t-0"):
        for act in (
            lambda item: desk.open_item("ben", item),
            lambda item: desk.save_draft("ben", item, {}, 0, 1),
            lambda item: desk.submit("ben", item, ANSWERS, 0),
            lambda item: desk.flag("ben", item, "?"),
            lambda item: desk.heartbeat("ben", item, 0),
        ):
            with pytest.raises(NotYours):
                act(strange)


# --- leases ---


def test_lease_runs_out(room: Room) -> None:
    """Without a sign of life an item goes to another; with one it stays. The late one is told, and keeps the draft."""
    desk = room.desk(1, lease_minutes=30)
    item_id = begun(desk.next_item("ana"))
    desk.save_draft("ana", item_id, ANSWERS, 12, 1)
    room.clock.pass_minutes(29)
    assert desk.next_item("ben") is None
    until = desk.heartbeat("ana", item_id, 700)
    room.clock.pass_minutes(29)
    assert desk.next_item("ben") is None
    room.clock.pass_minutes(2)
    assert until is not None
    assert until < room.clock() // 1_000_000
    assert begun(desk.next_item("ben")) == item_id
    changed = {**ANSWERS, "tone": {"value": "rude"}}
    with pytest.raises(SlotTaken, match="what you wrote is kept"):
        desk.submit("ana", item_id, changed, 800)
    mine = desk.open_item("ana", item_id)
    assert (mine.state, mine.answers, mine.seconds, mine.lease_until_ms) == ("released", changed, 800, None)
    assert desk.next_item("ana") is None
    desk.skip("ben", item_id)
    again = desk.next_item("ana")
    assert again is not None
    assert (again.state, again.answers) == ("leased", changed)
    assert room.labels(desk.session.session_id, [again.item]) == []


def test_short_lease(room: Room) -> None:
    """A lease of seconds lasts for so long from the last look at the item, which writes nothing."""
    desk = room.desk(1, lease_minutes=0.5)
    item_id = begun(desk.next_item("ana"))
    written = f"SELECT count() FROM labeling_work WHERE ItemId = '{item_id}'"
    room.clock.pass_minutes(0.1)
    assert desk.open_item("ana", item_id).state == "leased"
    room.clock.pass_minutes(0.45)
    assert desk.next_item("ben") is None
    assert room.rows(written) == [(1,)]
    room.clock.pass_minutes(0.1)
    assert begun(desk.next_item("ben")) == item_id


def test_late_but_free(room: Room) -> None:
    """A submission after the lease has run out is taken where nobody else has the item."""
    desk = room.desk(1)
    item_id = begun(desk.next_item("ana"))
    room.clock.pass_minutes(600)
    assert desk.submit("ana", item_id, ANSWERS, 1).recorded == ["verdict", "tone"]


def test_fewer_reviewers(room: Room) -> None:
    """Where fewer reviewers are wanted than have an item, only as many can hand it in."""
    items = [room.item()]
    desk = room.desk(items, 3)
    for who in ("ana", "ben", "eva"):
        begun(desk.next_item(who))
    room.write_session(desk.session.session_id, SessionSettings(reviewers_per_item=1))
    desk._claims.refresh(must=True)
    taken = []
    for who in ("ana", "ben", "eva"):
        try:
            desk.submit(who, items[0].item_id, ANSWERS, 1)
        except SlotTaken:
            taken.append(who)
    assert taken == ["ana", "ben"]
    check_labels(room, desk.session.session_id, items, 1)


# --- answers ---


def test_labels(room: Room) -> None:
    """Answers become assessments of the reviewer: of a trace, a span or a conversation, with question and version."""
    items = [room.item(), room.item(span=True), conversation_item("chat/1")]
    desk = room.desk(items)
    session_id = desk.session.session_id
    answers = {**ANSWERS, "ideal": {"value": "By hand.", "comment": "page 3"}}
    for item in items:
        begun(desk.next_item("ana"))
        done = desk.submit("ana", item.item_id, answers, 30)
        ids = {name: label_id(session_id, item.item_id, "ana", name) for name in answers}
        assert done == Submitted(item.item_id, ids, ["verdict", "tone", "ideal"], [], [])
    room.serving.wait_stored()
    columns = (
        "AssessmentId, TraceId, SpanId, SessionId, Kind, Name, Value, Rationale, SourceType, SourceId, Metadata, "
        "LabelingSessionId, EvaluationRunId"
    )
    found = room.rows(
        f"SELECT {columns} FROM feedback WHERE LabelingSessionId = {{id:String}} ORDER BY TraceId, SpanId, Name",
        id=session_id,
    )
    assert found == [
        (
            label_id(session_id, item.item_id, "ana", name), item.trace_id, item.span_id, item.conversation_id, kind,
            name, value, rationale, "HUMAN", "ana", {"label_schema": name, **metadata}, session_id,
            f"run-of-{session_id}",
        )
        for item in sorted(items, key=lambda item: (item.trace_id, item.span_id))
        for kind, name, value, rationale, metadata in [
            ("expectation", "ideal", '"By hand."', "", {"label_schema_version": "2", "comment": "page 3"}),
            ("feedback", "tone", '"kind"', "", {"label_schema_version": "3"}),
            ("feedback", "verdict", "true", "as in the manual", {"label_schema_version": "1"}),
        ]
    ]  # fmt: skip


def history(room: Room, session_id: str) -> list[tuple[Any, ...]]:
    """Everything that the ledger was told of the labels of a session with one item."""
    room.serving.wait_stored()
    return room.rows(
        "SELECT Name, Event, Value FROM feedback_history WHERE AssessmentId IN "
        "(SELECT AssessmentId FROM feedback_events WHERE LabelingSessionId = {id:String}) ORDER BY Timestamp, Name",
        id=session_id,
    )


def test_submitted_again(room: Room) -> None:
    """The same handed in again records nothing; what differs is a correction; what is left out is retracted."""
    item = room.item()
    desk = room.desk([item])
    begun(desk.next_item("ana"))
    answers = {**ANSWERS, "ideal": {"value": "By hand."}}
    first = desk.submit("ana", item.item_id, answers, 5)
    assert desk.submit("ana", item.item_id, answers, 6) == Submitted(item.item_id, first.labels)
    said = [("ideal", "said", '"By hand."'), ("tone", "said", '"kind"'), ("verdict", "said", "true")]
    assert history(room, desk.session.session_id) == said
    changed = {"verdict": {"value": False}, "tone": {"value": "kind"}}
    again = desk.submit("ana", item.item_id, changed, 9)
    assert (again.recorded, again.changed, again.retracted) == ([], ["verdict"], ["ideal"])
    assert desk.submit("ana", item.item_id, answers, 9).recorded == ["ideal"]
    assert history(room, desk.session.session_id) == [
        *said, ("", "retracted", "null"), ("verdict", "corrected", "false"), ("ideal", "said", '"By hand."'),
        ("verdict", "corrected", "true"),
    ]  # fmt: skip
    values = {label.question: label.value for label in room.labels(desk.session.session_id, [item])}
    assert values == {"verdict": True, "tone": "kind", "ideal": "By hand."}


def test_wrong_answers(room: Room) -> None:
    """An answer that does not fit is refused with the question and what would fit, and nothing is recorded."""
    item = room.item()
    desk = room.desk([item])
    begun(desk.next_item("ana"))

    def problems(answers: Any) -> dict[str, str]:
        with pytest.raises(InvalidAnswers) as refused:
            desk.submit("ana", item.item_id, answers, 1)
        return refused.value.problems

    missing = "there is no answer; give one, or skip the item"
    assert problems({}) == {"verdict": missing, "tone": missing}
    assert problems(
        {"verdict": {"value": "yes"}, "tone": {"value": "kind", "comment": "so"}, "ideal": {"comment": "!"}}
    ) == {
        "verdict": "'yes' is neither true (Pass) nor false (Fail); give one",
        "tone": "this question takes no comment; leave it out",
        "ideal": "there is a comment without an answer; answer, or take the comment away",
    }
    assert problems({"mood": {"value": 1}}) == {"mood": "the session has no such question; load the page again"}
    assert problems({"tone": "kind"}) == {"tone": 'an answer is {"value": …, "comment": "…"}'}
    with pytest.raises(InvalidAnswers, match="cannot be stored"):
        desk.save_draft("ana", item.item_id, {"ideal": {"value": "\ud800"}}, 1, 1)
    with pytest.raises(InvalidLabel, match="revision"):
        desk.save_draft("ana", item.item_id, {}, 1, -1)
    assert room.labels(desk.session.session_id, [item]) == []


def test_drafts(room: Room) -> None:
    """A draft comes back after a restart; an older one never replaces a newer one, the same one changes nothing."""
    session_id = room.session(1)
    desk = room.desks().of(session_id)
    item_id = begun(desk.next_item("ana"))
    half = {"ideal": {"value": "By ha"}, "tone": {"value": "odd"}, "verdict": {"comment": "hm"}}
    assert desk.save_draft("ana", item_id, half, 10, 3) == 3
    assert desk.save_draft("ana", item_id, {}, 11, 2) == 3
    assert desk.save_draft("ana", item_id, {}, 11, 3) == 3
    desk.flag("ana", item_id, "the trace is cut off")
    for opened in (desk, room.desks().of(session_id)):
        kept = opened.next_item("ana")
        assert kept is not None
        assert (kept.answers, kept.revision, kept.seconds, kept.flag) == (half, 3, 10, "the trace is cut off")
    desk.submit("ana", item_id, ANSWERS, 20, revision=7)
    assert desk.save_draft("ana", item_id, half, 20, 6) == 7
    assert desk.save_draft("ana", item_id, half, 20, 8) == 8
    mine = desk.open_item("ana", item_id)
    assert (mine.state, mine.answers) == ("done", half)
    assert desk.submit("ana", item_id, ANSWERS, 20) == Submitted(item_id, {
        name: label_id(session_id, item_id, "ana", name) for name in ANSWERS
    })  # fmt: skip
    assert desk.open_item("ana", item_id).answers == ANSWERS


def test_redaction(room: Room) -> None:
    """What may not be written is replaced in drafts and answers alike, so that both say the same."""
    desk = room.desks(redact=("email",)).of(room.session(1))
    item_id = begun(desk.next_item("ana"))
    typed = {**ANSWERS, "ideal": {"value": "Ask bo@shop.example", "comment": "or al@shop.example"}}
    clean = {**ANSWERS, "ideal": {"value": "Ask [redacted:email]", "comment": "or [redacted:email]"}}
    desk.save_draft("ana", item_id, typed, 1, 1)
    assert desk.open_item("ana", item_id).answers == clean
    desk.submit("ana", item_id, typed, 1)
    assert desk.open_item("ana", item_id).answers == clean


# --- faults ---


def test_ledger_away(room: Room) -> None:
    """What the ledger cannot take now is refused, keeps its place, and is recorded later, once, as it was submitted."""
    items = [room.item(), room.item()]
    session_id = room.session(items)
    desk = room.desks().of(session_id)
    first = begun(desk.next_item("ana"))
    room.logs.fault = Refused("too much waits", overloaded=True)
    with pytest.raises(Refused):
        desk.submit("ana", first, ANSWERS, 9)
    room.clock.pass_minutes(600)
    assert begun(desk.next_item("ana")) == items[1].item_id
    assert desk.next_item("ben") is None
    room.logs.fault = None
    # Another run of the collector finds it, and so does who hands it in once more.
    assert room.desks().of(session_id).open_item("ana", first).state == "done"
    assert desk.submit("ana", first, ANSWERS, 9).recorded == ()
    assert history(room, session_id) == [("tone", "said", '"kind"'), ("verdict", "said", "true")]


def test_store_away(room: Room) -> None:
    """Where the store does not answer, nothing is promised, and all is as before once it does."""
    desk = room.desk(2)
    first = begun(desk.next_item("ana"))
    tables = desk._claims._tables
    store, tables._store = tables._store, Room.away()
    with pytest.raises(StoreAway):
        desk.save_draft("ana", first, ANSWERS, 5, 1)
    with pytest.raises(StoreAway):
        desk.next_item("ben")
    with pytest.raises(StoreAway):
        desk.submit("ana", first, ANSWERS, 5)
    tables._store = store
    assert desk.open_item("ana", first).answers == {}
    assert begun(desk.next_item("ben")) != first
    assert desk.next_item("eva") is None


def test_killed(tmp_path: Path) -> None:
    """Leases, drafts, what is done and who is to get what survive a SIGKILL of the collector."""
    running = Serving(tmp_path / "data", HANSEI_ADMIN_KEY=ADMIN_KEY)
    room = Room(running)
    items = [room.item() for _ in range(3)]
    session_id = room.session(items)
    desk = room.desks().of(session_id)
    begun(desk.next_item("ana"))
    desk.submit("ana", items[0].item_id, ANSWERS, 5)
    begun(desk.next_item("ana"))
    desk.save_draft("ana", items[1].item_id, ANSWERS, 7, 1)
    running.kill()
    running.close()
    room.close()
    again = Serving(tmp_path / "data", HANSEI_ADMIN_KEY=ADMIN_KEY)
    room = Room(again)
    desk = room.desks().of(session_id)
    kept = desk.next_item("ana")
    assert kept is not None
    assert (kept.item.item_id, kept.state, kept.answers, kept.seconds) == (items[1].item_id, "leased", ANSWERS, 7)
    assert begun(desk.next_item("ben")) == items[2].item_id
    assert {label.question for label in room.labels(session_id, items)} == set(ANSWERS)
    room.close()
    again.close()


# --- many at once ---


def check_labels(room: Room, session_id: str, items: list[Item], wanted: int) -> None:
    """Every item has so many labels of each question, of different reviewers."""
    labels = room.labels(session_id, items)
    counted = Counter((label.item_id, label.question) for label in labels)
    assert counted == {(item.item_id, name): wanted for item in items for name in ANSWERS}
    assert len({(label.item_id, label.question, label.reviewer) for label in labels}) == len(labels)


@pytest.mark.parametrize("seed", range(2))
def test_any_interleaving(room: Room, seed: int) -> None:
    """However reviewers work, skip, come late and collectors restart: N labels an item, and never an item twice."""
    draw = random.Random(seed)
    items = [room.item() for _ in range(5)]
    wanted = 2 + seed
    session_id = room.session(items, wanted)
    desk = room.desks().of(session_id)
    reviewers = ["ana", "ben", "eva", "kim", "leo"]
    left_open: list[tuple[str, str]] = []
    done: set[tuple[str, str]] = set()

    def submit(who: str, item_id: str) -> None:
        try:
            desk.submit(who, item_id, {"verdict": {"value": draw.random() < 0.5}, "tone": {"value": "kind"}}, 1)
        except SlotTaken:
            return
        done.add((who, item_id))

    for _ in range(40):
        who = draw.choice(reviewers)
        act = draw.choices(["work", "leave", "late", "skip", "wait", "reload", "fault"], [8, 4, 3, 1, 1, 1, 1])[0]
        if act in ("work", "leave", "skip", "fault"):
            given = desk.next_item(who)
            if given is None:
                continue
            assert (who, given.item.item_id) not in done
            if act == "work":
                submit(who, given.item.item_id)
            elif act == "fault":
                room.logs.fault = Refused("full", overloaded=True)
                with pytest.raises(Refused):
                    submit(who, given.item.item_id)
                room.logs.fault = None
                done.add((who, given.item.item_id))
            elif act == "skip" and draw.random() < 0.3:
                desk.skip(who, given.item.item_id)
            left_open.append((who, given.item.item_id))
        elif act == "late" and left_open:
            submit(*draw.choice(left_open))
        elif act == "wait":
            room.clock.pass_minutes(31)
        elif act == "reload":
            desk = room.desks().of(session_id)
    room.clock.pass_minutes(31)
    for who in [*reviewers, *(f"guest-{number}" for number in range(3))]:
        while (given := desk.next_item(who)) is not None:
            submit(who, given.item.item_id)
    check_labels(room, session_id, items, wanted)
    state = {who: desk.history(who) for who in reviewers}
    again = room.desks().of(session_id)
    assert {who: again.history(who) for who in reviewers} == state
    assert [again.progress(who) for who in reviewers] == [desk.progress(who) for who in reviewers]


def race(desks: list[Desk], reviewers: int) -> list[str]:
    """Reviewers at once, each from one desk to the next, until nothing is left; answers what went wrong."""
    wrong: list[str] = []

    def work(number: int) -> None:
        who = f"reviewer-{number}"
        seen: set[str] = set()
        turn = number
        try:
            while True:
                turn += 1
                try:
                    given = desks[turn % len(desks)].next_item(who)
                except StoreAway:
                    continue
                if given is None:
                    return
                if given.item.item_id in seen:
                    wrong.append(f"{who} got {given.item.item_id} twice")
                seen.add(given.item.item_id)
                try:
                    desks[(turn + number) % len(desks)].submit(who, given.item.item_id, ANSWERS, 1)
                except SlotTaken:
                    seen.discard(given.item.item_id)
        except Exception as error:
            wrong.append(f"{who}: {error!r}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(reviewers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


def test_threads(room: Room) -> None:
    """Eight reviewers at once over one desk: N labels an item, and nobody gets an item twice."""
    items = [room.item() for _ in range(8)]
    session_id = room.session(items, 3)
    assert race([room.desks().of(session_id)], 8) == []
    check_labels(room, session_id, items, 3)


def test_two_collectors(room: Room) -> None:
    """Two collectors over one store, reviewers going from one to the other: never more than N labels, and all done."""
    items = [room.item() for _ in range(5)]
    session_id = room.session(items, 2)
    assert race([room.desks(shared=True).of(session_id) for _ in range(2)], 5) == []
    check_labels(room, session_id, items, 2)
