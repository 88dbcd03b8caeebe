"""What the ledger makes of events: the state of each assessment now and then, and what does not hang together."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansei.feedback.json_value import expectation_json

from .conftest import NOON, ONCE, Tables, own

# --- events of any SDK ---


def test_event_of_another_sdk(tables: Tables, trace_id: str) -> None:
    """A plain event of the GenAI conventions is an assessment of its own, with a score, a label and a rationale."""
    tables.insert({
        "TraceId": trace_id, "SpanId": "b" * 16, "gen_ai.evaluation.name": "Relevance",
        "gen_ai.evaluation.score.value": 0.85, "gen_ai.evaluation.score.label": "relevant",
        "gen_ai.evaluation.explanation": "It answers the question.", "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.conversation.id": "talk-1", "gen_ai.evaluation.evaluator.type": "llm_judge",
        "gen_ai.evaluation.evaluator.id": "judge-7",
    })  # fmt: skip
    row = tables.only(trace_id)
    assert row.pop("AssessmentId").startswith("e-")
    assert {column: row[column].replace(tzinfo=None) for column in ("CreatedAt", "UpdatedAt")} == {
        "CreatedAt": NOON.replace(tzinfo=None), "UpdatedAt": NOON.replace(tzinfo=None),
    }  # fmt: skip
    del row["CreatedAt"], row["UpdatedAt"]
    assert row == {
        "TraceId": trace_id, "SpanId": "b" * 16, "SessionId": "talk-1", "Kind": "feedback", "Name": "Relevance",
        "Value": '"relevant"', "NumericValue": 0.85, "Rationale": "It answers the question.",
        "SourceType": "LLM_JUDGE", "SourceId": "judge-7", "Metadata": {}, "Error": "", "ErrorCode": "",
        "Overrides": "", "Valid": True, "LabelingSessionId": "", "EvaluationRunId": "",
        "ResponseId": "chatcmpl-1", "ServiceName": "shop",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("attributes", "value", "number"),
    [
        ({"gen_ai.evaluation.score.value": "4"}, "4", 4.0),
        ({"gen_ai.evaluation.score.value": "0.5", "gen_ai.evaluation.score.label": "pass"}, '"pass"', 0.5),
        ({"gen_ai.evaluation.score.label": "pass"}, '"pass"', None),
        ({"gen_ai.evaluation.score.value": "json: unsupported value: NaN"}, "null", None),
        ({"hansei.assessment.value": "true"}, "true", 1.0),
        ({"hansei.assessment.value": "false", "gen_ai.evaluation.score.value": "7"}, "false", 0.0),
        ({"hansei.assessment.value": '"5"'}, '"5"', None),
        ({"hansei.assessment.value": '{"a":[1]}'}, '{"a":[1]}', None),
        ({"hansei.assessment.value": "not json"}, '"not json"', None),
        ({"error.type": "timeout"}, "null", None),
        ({}, "null", None),
    ],
)
def test_value(tables: Tables, trace_id: str, attributes: dict[str, Any], value: str, number: float | None) -> None:
    """The value is JSON whatever was sent; numbers and booleans are numbers too."""
    tables.insert({"TraceId": trace_id, "gen_ai.evaluation.name": "n", **attributes})
    row = tables.only(trace_id, "Value, NumericValue, Error")
    assert row == {"Value": value, "NumericValue": number, "Error": attributes.get("error.type", "")}


@pytest.mark.parametrize(
    ("attributes", "source"),
    [
        ({}, ("CODE", "default")),
        ({"gen_ai.evaluation.evaluator.type": "human"}, ("HUMAN", "default")),
        ({"gen_ai.evaluation.evaluator.type": "deterministic"}, ("CODE", "default")),
        ({"hansei.assessment.source.type": "human", "hansei.assessment.source.id": "ana"}, ("HUMAN", "ana")),
        ({"hansei.assessment.source.type": "ROBOT"}, ("CODE", "default")),
    ],
)
def test_source(tables: Tables, trace_id: str, attributes: dict[str, Any], source: tuple[str, str]) -> None:
    """Who says it is read under our name or the proposed one; what nobody claims is code's."""
    tables.insert({"TraceId": trace_id, "gen_ai.evaluation.name": "n", **attributes})
    row = tables.only(trace_id, "SourceType, SourceId")
    assert (row["SourceType"], row["SourceId"]) == source


def test_event_name_as_an_attribute(tables: Tables, trace_id: str) -> None:
    """An older SDK's event, whose name is an attribute, counts; another event or log line does not."""
    tables.insert(
        {"TraceId": trace_id, "EventName": "", "event.name": "gen_ai.evaluation.result", "gen_ai.evaluation.name": "n"},
        {"TraceId": trace_id, "EventName": "", "gen_ai.evaluation.name": "a line"},
        {"TraceId": trace_id, "EventName": "other", "event.name": "gen_ai.evaluation.result"},
    )
    assert tables.only(trace_id, "Name") == {"Name": "n"}


def test_two_events_without_an_id_are_two(tables: Tables, trace_id: str) -> None:
    """Plain events are told apart by what they say; the same one delivered twice is one."""
    plain = {"TraceId": trace_id, "gen_ai.evaluation.name": "n", "gen_ai.evaluation.score.value": 1}
    tables.insert(plain, {**plain, "gen_ai.evaluation.score.value": 2}, {**plain, "at": 1})
    tables.insert(plain)
    assert [row["Value"] for row in sorted(tables.of(trace_id), key=lambda row: row["Value"])] == ["1", "1", "2"]


def test_session_is_a_target(tables: Tables) -> None:
    """Feedback without a trace speaks of its session."""
    tables.insert({"TraceId": "", "session.id": "talk-9", **own(id="on-session", name="n", value="5")})
    found = tables.rows("SELECT AssessmentId, Value FROM feedback WHERE TraceId = '' AND SessionId = 'talk-9'")
    assert found == [("on-session", "5")]


# --- corrections, overriding, retraction ---


def test_correction_leaves_who_and_where(tables: Tables, trace_id: str) -> None:
    """A correction by one who never read the first version replaces what is said, and nothing else."""
    first = own(
        id="a", name="quality", value="2", source__type="HUMAN", source__id="ana", overrides="x",
        labeling_session__id="l-1", evaluation_run__id="r-1", metadata='{"k":"v"}',
    )  # fmt: skip
    tables.insert({"TraceId": trace_id, "SpanId": "c" * 16, "gen_ai.evaluation.explanation": "dull", **first})
    before = tables.only(trace_id)
    tables.insert(
        {
            "TraceId": trace_id,
            "at": 5,
            **own(id="a", value="4", correction="true", source__type="HUMAN", source__id="bo"),
        }
    )
    after = tables.only(trace_id)
    changed = {column: after[column] for column in after if after[column] != before[column]}
    assert changed == {
        "Value": "4", "NumericValue": 4.0, "Rationale": "", "Metadata": {},
        "UpdatedAt": before["UpdatedAt"] + timedelta(seconds=5),
    }  # fmt: skip
    history = tables.rows(
        "SELECT Event, Value, SourceId FROM feedback_history WHERE TraceId = {id:String}", id=trace_id
    )
    assert history == [("overrode", "2", "ana"), ("corrected", "4", "bo")]


def test_correction_may_rename(tables: Tables, trace_id: str) -> None:
    """A correction with a name gives the assessment that name."""
    tables.insert(
        own(TraceId=trace_id, id="a", name="qualty", value="1"),
        own(TraceId=trace_id, at=1, id="a", name="quality", value="1", correction="true"),
    )
    assert tables.only(trace_id, "Name") == {"Name": "quality"}


def test_creation_is_read_from_the_id(tables: Tables, trace_id: str) -> None:
    """An id of ours knows when it was made, also where the first statement is lost; one from the future does not."""
    milliseconds = int((NOON - timedelta(hours=1)).timestamp() * 1000)
    tables.insert(
        own(TraceId=trace_id, id=f"a-{milliseconds:012x}" + "7" * 20, name="ours", value="1"),
        own(TraceId=trace_id, id="a-" + "f" * 32, name="wild", value="1"),
    )
    found = {row["Name"]: row["CreatedAt"].replace(tzinfo=None) for row in tables.of(trace_id)}
    noon = NOON.replace(tzinfo=None)
    assert found == {"ours": noon - timedelta(hours=1), "wild": noon}


def test_overriding_and_its_retraction(tables: Tables, trace_id: str) -> None:
    """What is overridden stays and is not valid; deleting the override revives it, and deleting that is final."""

    def state() -> dict[str, tuple[str, bool]]:
        return {row["AssessmentId"]: (row["Value"], row["Valid"]) for row in tables.of(trace_id)}

    tables.insert(own(TraceId=trace_id, id="judge", name="ok", value="true", source__type="LLM_JUDGE"))
    tables.insert(own(TraceId=trace_id, at=1, id="ana", name="ok", value="false", overrides="judge"))
    assert state() == {"judge": ("true", False), "ana": ("false", True)}
    tables.insert(own(TraceId=trace_id, at=2, id="bo", name="ok", value="true", overrides="ana"))
    assert state() == {"judge": ("true", False), "ana": ("false", False), "bo": ("true", True)}
    tables.insert(own(TraceId=trace_id, at=3, id="bo", deleted="true"))
    assert state() == {"judge": ("true", False), "ana": ("false", True)}
    tables.insert(own(TraceId=trace_id, at=4, id="ana", deleted="true"))
    assert state() == {"judge": ("true", True)}


def test_override_inherits_the_name(tables: Tables, trace_id: str) -> None:
    """Who overrides need not know the name: it is that of what is overridden, also where that comes later."""
    tables.insert(own(TraceId=trace_id, at=1, id="b", value="2", overrides="a"))
    assert tables.only(trace_id, "Name") == {"Name": ""}
    tables.insert(own(TraceId=trace_id, id="a", name="quality", value="1"))
    assert [row["Name"] for row in tables.of(trace_id)] == ["quality", "quality"]


def test_two_sources_never_overwrite_each_other(tables: Tables, trace_id: str) -> None:
    """Two people's values of one name are two rows, both valid."""
    tables.insert(
        own(TraceId=trace_id, id="a1", name="expected", kind="expectation", value='"x"', source__id="ana"),
        own(TraceId=trace_id, id="a2", name="expected", kind="expectation", value='"y"', source__id="bo"),
    )
    rows = tables.of(trace_id, "Kind, SourceId, Value, Valid")
    assert rows == [
        {"Kind": "expectation", "SourceId": "ana", "Value": '"x"', "Valid": True},
        {"Kind": "expectation", "SourceId": "bo", "Value": '"y"', "Valid": True},
    ]


def test_another_trace_is_another_assessment(tables: Tables, trace_id: str) -> None:
    """An event that names another trace reaches nothing of this one, and is reported."""
    other = trace_id[::-1]
    tables.insert(own(TraceId=trace_id, id=f"t-{trace_id}", name="n", value="1"))
    tables.insert(
        own(TraceId=other, at=1, id=f"t-{trace_id}", value="2", correction="true"),
        own(TraceId=other, at=2, id=f"t-{other}", name="n", value="3", overrides=f"t-{trace_id}"),
    )
    assert tables.only(trace_id, "Value, Valid") == {"Value": "1", "Valid": True}
    assert reasons(tables, other) == {
        (f"t-{trace_id}", "what it corrects has not come"),
        (f"t-{other}", "what it overrides has not come"),
        (f"t-{other}", "its trace has not come"),
    }
    tables.insert(own(TraceId=other, at=3, id=f"t-{trace_id}", name="n", value="4"))
    assert (f"t-{trace_id}", "its id is used in another trace") in reasons(tables, trace_id)


def test_a_repeated_insert_adds_nothing(tables: Tables, trace_id: str) -> None:
    """A segment whose insert is repeated after a lost answer adds no row to any table."""
    token = {**ONCE, "insert_deduplication_token": trace_id}
    events = [
        own(TraceId=trace_id, id="a", name="n", value="1"),
        own(TraceId=trace_id, at=1, id="a", value="2", correction="true"),
    ]
    for _ in range(2):
        tables.insert(*events, settings=token)
    for table, count in {"feedback_events": 2, "feedback_state": 1, "feedback_changes": 1}.items():
        assert tables.rows(f"SELECT count() FROM {table} WHERE TraceId = {{id:String}}", id=trace_id) == [(count,)]


# --- values ---

_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=8,
)


@settings(max_examples=15, deadline=None)
@given(values=st.lists(_json, min_size=1, max_size=20))
def test_values_come_back_exactly(tables: Tables, values: list[Any]) -> None:
    """Any JSON is read as it was given: nested, of any script, integers of any size, floats to the last bit."""
    trace_id = uuid.uuid4().hex
    known = [*values, 2**80, -(2**70), 0.1, 1e300, 5e-324, "é😀\u2028\x00", {"": [{"a": None}]}]
    tables.insert(
        *(own(TraceId=trace_id, id=f"{n:04}", name="v", value=expectation_json(v)) for n, v in enumerate(known))
    )
    read = [json.loads(row["Value"]) for row in tables.of(trace_id, "Value")]
    assert [repr(value) for value in read] == [repr(value) for value in known]


# --- then ---


def test_as_of_a_moment(tables: Tables, trace_id: str) -> None:
    """The past is what had been said by then: first value, corrected, overridden, retracted."""
    tables.insert(
        own(TraceId=trace_id, at=40, id="b", deleted="true"),
        own(TraceId=trace_id, at=30, id="b", value="9", overrides="a"),
        own(TraceId=trace_id, at=20, id="a", value="2", correction="true"),
        own(TraceId=trace_id, at=10, id="a", name="n", value="1", source__type="HUMAN"),
    )

    def then(seconds: int) -> list[tuple[str, str, str, bool]]:
        at = (NOON + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")
        view = f"feedback_as_of(at = toDateTime64('{at}', 9, 'UTC'))"
        return [
            (row["AssessmentId"], row["Name"], row["Value"], row["Valid"]) for row in tables.of(trace_id, view=view)
        ]

    assert then(5) == []
    assert then(10) == [("a", "n", "1", True)]
    assert then(25) == [("a", "n", "2", True)]
    assert then(35) == [("a", "n", "2", False), ("b", "n", "9", True)]
    assert then(45) == [("a", "n", "2", True)]


def test_as_of_now_is_the_state(tables: Tables, trace_id: str) -> None:
    """As of the end, every column is that of the current state."""
    tables.insert(
        own(TraceId=trace_id, id="a", name="n", value="1", metadata='{"k":"v"}', source__type="HUMAN"),
        own(TraceId=trace_id, at=1, id="b", value="2", overrides="a"),
        own(TraceId=trace_id, at=2, id="b", value="3", correction="true"),
    )
    later = "feedback_as_of(at = toDateTime64('2030-01-01 00:00:00', 9, 'UTC'))"
    assert tables.of(trace_id, view=later) == tables.of(trace_id)


def test_trace_is_folded(tables: Tables, trace_id: str) -> None:
    """A trace is one row: counts by kind and source and parallel arrays, of what is valid."""
    tables.insert(
        own(TraceId=trace_id, id="a", name="helpful", value="false", source__type="HUMAN", source__id="ana"),
        own(TraceId=trace_id, at=1, id="b", name="safe", value="true", source__type="LLM_JUDGE", source__id="j"),
        own(TraceId=trace_id, at=2, id="c", name="safe", value="false", overrides="b", source__type="HUMAN"),
        own(TraceId=trace_id, at=3, id="d", name="expected", kind="expectation", value='"x"', source__type="HUMAN"),
    )
    row = tables.rows(
        """
        SELECT Assessments, Feedback, Expectations, Human, LlmJudge, Code, Errors, Names, Values, NumericValues
        FROM trace_feedback WHERE TraceId = {id:String}
        """,
        id=trace_id,
    )
    assert row == [
        (3, 2, 1, 3, 0, 0, 0, ["helpful", "safe", "expected"], ["false", "false", '"x"'], [0.0, 0.0, None])
    ]  # fmt: skip


# --- what does not hang together ---


def reasons(tables: Tables, trace_id: str) -> set[tuple[str, str]]:
    """What is reported of a trace."""
    return set(
        tables.rows("SELECT AssessmentId, Reason FROM feedback_unlinked WHERE TraceId = {id:String}", id=trace_id)
    )


def insert_span(tables: Tables, trace_id: str, span_id: str) -> None:
    tables.client.insert("otel_traces", [[NOON, trace_id, span_id]], column_names=["Timestamp", "TraceId", "SpanId"])


def test_feedback_before_its_trace(tables: Tables, trace_id: str) -> None:
    """It is there at once, is reported with its age while it waits, and no more once the trace has come."""
    tables.insert(own(TraceId=trace_id, SpanId="d" * 16, id="early", name="n", value="1"))
    assert tables.only(trace_id, "Value") == {"Value": "1"}
    assert reasons(tables, trace_id) == {("early", "its trace has not come")}
    ((age,),) = tables.rows("SELECT AgeSeconds FROM feedback_unlinked WHERE TraceId = {id:String}", id=trace_id)
    (wanted,) = tables.rows("SELECT dateDiff('second', toDateTime('2026-11-20 12:00:00', 'UTC'), now())")[0]
    assert abs(age - wanted) <= 5
    insert_span(tables, trace_id, "d" * 16)
    assert reasons(tables, trace_id) == set()
    joined = tables.rows(
        """
        SELECT Value FROM otel_traces AS span
        JOIN feedback ON feedback.TraceId = span.TraceId AND feedback.SpanId = span.SpanId
        WHERE span.TraceId = {id:String}
        """,
        id=trace_id,
    )
    assert joined == [("1",)]


def test_unknown_span(tables: Tables, trace_id: str) -> None:
    """A span that its trace does not have is reported, until it is retracted; a span that it has is not."""
    insert_span(tables, trace_id, "1" * 16)
    tables.insert(
        own(TraceId=trace_id, SpanId="1" * 16, id="known", name="n", value="1"),
        own(TraceId=trace_id, SpanId="2" * 16, id="unknown", name="n", value="1"),
    )
    assert reasons(tables, trace_id) == {("unknown", "its trace has no such span")}
    tables.insert(own(TraceId=trace_id, at=1, id="unknown", deleted="true"))
    assert reasons(tables, trace_id) == set()


def test_about_nothing(tables: Tables, trace_id: str) -> None:
    """An event that names neither a trace nor a session is kept and reported."""
    tables.insert(own(TraceId="", id=f"lost-{trace_id}", name="n", value="1"))
    assert (f"lost-{trace_id}", "names neither a trace nor a session") in reasons(tables, "")
