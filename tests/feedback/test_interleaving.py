"""Events end in one state, in whatever order, batches and number of copies they arrive."""

import random
import threading
import uuid
from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import Tables, own, sql_client

_IDS = ["a", "b", "c"]
_SPANS = ["", "1" * 16, "2" * 16]


def _event(at: int, one: str, act: str, value: int, other: str, span: str) -> dict[str, Any]:
    if act == "retract":
        return own(at=at, id=one, deleted="true")
    if act == "correct":
        return own(at=at, id=one, value=value, correction="true")
    overrides = {"overrides": other} if act == "override" and other != one else {}
    return own(at=at, id=one, SpanId=span, name="n", value=value, **overrides)


# Few moments, so that many events share one.
_events = st.lists(
    st.builds(
        _event, st.integers(0, 4), st.sampled_from(_IDS), st.sampled_from(["say", "override", "correct", "retract"]),
        st.integers(0, 9), st.sampled_from(_IDS), st.sampled_from(_SPANS),
    ),
    min_size=1,
    max_size=12,
)  # fmt: skip

State = dict[str, tuple[str, str, str, bool]]
"""Value, span, what it overrides and whether it is valid, by assessment."""


def expected(events: list[dict[str, Any]], order: dict[tuple[Any, ...], int]) -> State:
    """The same said in Python: the last statement, then the last change, then who is overridden by a live one."""
    by_id: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: {"said": [], "change": []})
    for event in events:
        change = "hansei.assessment.deleted" in event or "hansei.assessment.correction" in event
        by_id[event["hansei.assessment.id"]]["change" if change else "said"].append(event)
    live: dict[str, tuple[str, str, str]] = {}
    for one, found in by_id.items():
        if not found["said"]:
            continue
        said = max(found["said"], key=lambda event: order[_identity(event)])
        now = said
        if found["change"]:
            change = max(found["change"], key=lambda event: order[_identity(event)])
            now = max(said, change, key=lambda event: order[_identity(event)])
        if "hansei.assessment.deleted" not in now:
            overrides = said.get("hansei.assessment.overrides", "")
            live[one] = (str(now["hansei.assessment.value"]), said["SpanId"], overrides)
    overridden = {overrides for _, _, overrides in live.values()}
    return {one: (*state, one not in overridden) for one, state in live.items()}


def _identity(event: dict[str, Any]) -> tuple[Any, ...]:
    """What tells an event of a trace from others, in the columns of the ledger."""
    deleted, correction = (f"hansei.assessment.{name}" in event for name in ("deleted", "correction"))
    value = str(event.get("hansei.assessment.value", "null"))
    overrides = event.get("hansei.assessment.overrides", "")
    about = event.get("SpanId", "")
    return (event["hansei.assessment.id"], event.get("at", 0), deleted, correction, value, overrides, about)


def ledger_order(tables: Tables, trace_id: str) -> dict[tuple[Any, ...], int]:
    """The version of each event: the ledger alone decides which of two at the same moment is the later."""
    found = tables.rows(
        """
        SELECT AssessmentId, dateDiff('second', toDateTime('2026-11-20 12:00:00', 'UTC'), Timestamp),
            Deleted, Correction, Value, Overrides, SpanId, toString(Version)
        FROM feedback_events FINAL WHERE TraceId = {id:String}
        """,
        id=trace_id,
    )
    return {(one, at, bool(gone), bool(new), *rest): int(version) for one, at, gone, new, *rest, version in found}


def state(tables: Tables, trace_id: str) -> State:
    rows = tables.of(trace_id, "AssessmentId, Value, SpanId, Overrides, Valid")
    return {row["AssessmentId"]: (row["Value"], row["SpanId"], row["Overrides"], row["Valid"]) for row in rows}


def deliver(tables: Tables, trace_id: str, events: list[dict[str, Any]], draw: random.Random) -> None:
    """In any order, some twice, cut into inserts anywhere."""
    copies = events + draw.sample(events, k=draw.randint(0, len(events)))
    draw.shuffle(copies)
    while copies:
        count = draw.randint(1, len(copies))
        tables.insert(*({**event, "TraceId": trace_id} for event in copies[:count]))
        del copies[:count]


@settings(max_examples=20, deadline=None)
@given(events=_events, draw=st.randoms(use_true_random=False))
def test_any_interleaving(tables: Tables, events: list[dict[str, Any]], draw: random.Random) -> None:
    """Made, corrected, overridden and retracted, late, repeated and at once: the state is the model's."""
    first, second = uuid.uuid4().hex, uuid.uuid4().hex
    deliver(tables, first, events, draw)
    deliver(tables, second, events, draw)
    order = ledger_order(tables, first)
    assert order.keys() == {_identity(event) for event in events}
    assert order == ledger_order(tables, second)
    assert state(tables, first) == state(tables, second) == expected(events, order)


def test_ten_at_once(tables: Tables) -> None:
    """Ten values of one assessment in the same nanosecond end as one of them, the same in every order of arrival."""
    ends = set()
    for seed in range(4):
        trace_id = uuid.uuid4().hex
        events = [own(TraceId=trace_id, id="a", name="n", value=value) for value in range(10)]
        random.Random(seed).shuffle(events)
        for event in events:
            tables.insert(event)
        (end,) = tables.of(trace_id, "Value, NumericValue")
        assert str(int(end["NumericValue"])) == end["Value"]
        ends.add(end["Value"])
    assert len(ends) == 1


def test_eight_writers_keep_history(tables: Tables, serving: Any, trace_id: str) -> None:
    """Corrections by eight writers at a time are all in the history, and the last of them is the state."""
    tables.insert(own(TraceId=trace_id, id="a", name="n", value=0))

    def write(writer: int) -> None:
        with sql_client(serving) as client:
            for turn in range(10):
                at, value = 1 + turn + writer / 10, turn * 10 + writer
                Tables(client).insert(own(TraceId=trace_id, at=at, id="a", value=value, correction="true"))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = tables.rows("SELECT Value FROM feedback_history WHERE TraceId = {id:String}", id=trace_id)
    wanted = ["0"] + [str(turn * 10 + writer) for turn in range(10) for writer in range(8)]
    assert [value for (value,) in history] == wanted
    assert tables.only(trace_id, "Value") == {"Value": "97"}
