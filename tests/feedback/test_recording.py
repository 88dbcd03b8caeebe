"""What a caller may say, and the events that it becomes."""

import enum
import time
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

import hansei
from hansei.feedback import recording
from hansei.feedback.clock import EventClock
from hansei.feedback.event import Event, statement
from hansei.feedback.ids import created_milliseconds, new_assessment_id
from hansei.feedback.otlp import export_request

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HUMAN = hansei.AssessmentSource("human", "ana")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """What was handed over."""
    events: list[Event] = []
    monkeypatch.setattr(recording._recorder, "_send", events.append)
    return events


def test_feedback(sent: list[Event]) -> None:
    """Every argument of ``log_feedback`` is in the event, under the conventions' name where there is one."""
    before = time.time_ns()
    feedback = hansei.log_feedback(
        trace_id=TRACE.upper(), name="helpful", value=True, source=HUMAN, rationale="It helped.",
        metadata={"turn": 3, "page": "chat"}, span_id=SPAN, session_id="talk-1",
    )  # fmt: skip
    (event,) = sent
    assert (event.trace_id, event.span_id) == (TRACE, SPAN)
    assert before <= event.time_ns <= time.time_ns()
    assert event.attributes == {
        "hansei.assessment.id": feedback.assessment_id, "hansei.assessment.kind": "feedback",
        "gen_ai.evaluation.name": "helpful", "hansei.assessment.value": "true",
        "gen_ai.evaluation.score.value": 1, "gen_ai.evaluation.score.label": "true",
        "gen_ai.evaluation.explanation": "It helped.", "hansei.assessment.metadata": '{"turn":"3","page":"chat"}',
        "hansei.assessment.source.type": "HUMAN", "hansei.assessment.source.id": "ana",
        "gen_ai.conversation.id": "talk-1",
    }  # fmt: skip
    milliseconds = event.time_ns // 1_000_000
    assert (feedback.create_time_ms, feedback.last_update_time_ms) == (milliseconds, milliseconds)
    assert (feedback.trace_id, feedback.metadata, feedback.valid) == (TRACE, {"turn": "3", "page": "chat"}, True)
    assert feedback.assessment_id
    assert created_milliseconds(feedback.assessment_id) == milliseconds


def test_defaults_are_those_of_mlflow(sent: list[Event]) -> None:
    """Unnamed feedback is ``feedback`` by code, an expectation is a person's; both ids are ``default``."""
    feedback = hansei.log_feedback(trace_id=TRACE, value=1)
    expectation = hansei.log_expectation(trace_id=TRACE, name="answer", value=None)
    assert (feedback.name, feedback.source) == ("feedback", hansei.AssessmentSource("CODE", "default"))
    assert expectation.source == hansei.AssessmentSource("HUMAN", "default")
    assert [event.attributes["hansei.assessment.kind"] for event in sent] == ["feedback", "expectation"]


class Rating(str, enum.Enum):
    YES = "yes"


@pytest.mark.parametrize(
    ("value", "text", "score"),
    [
        (False, "false", (0, "false")),
        (7, "7", (7, None)),
        (2**70, str(2**70), (2.0**70, None)),
        (10**400, str(10**400), (None, None)),
        (0.1, "0.1", (0.1, None)),
        ("gut", '"gut"', (None, "gut")),
        (Rating.YES, '"yes"', (None, "yes")),
        ("\ud83d!", '"?!"', (None, "?!")),
        (["a", 1, {"b": True}], '["a",1,{"b":true}]', (None, None)),
    ],
)
def test_values(sent: list[Event], value: object, text: str, score: tuple[object, object]) -> None:
    """A value is sent as JSON, and as the conventions' score or label where it is one."""
    hansei.log_feedback(trace_id=TRACE, value=value)
    attributes = sent[0].attributes
    assert attributes["hansei.assessment.value"] == text
    names = ("gen_ai.evaluation.score.value", "gen_ai.evaluation.score.label")
    assert tuple(attributes.get(name) for name in names) == score


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (hansei.AssessmentError("RATE_LIMIT", "Too many."), "RATE_LIMIT", "Too many."),
        (hansei.AssessmentError("RATE_LIMIT"), "RATE_LIMIT", "RATE_LIMIT"),
        (TimeoutError("too slow"), "TimeoutError", "too slow"),
        ("broken", "ASSESSMENT_ERROR", "broken"),
    ],
)
def test_error_in_place_of_a_value(sent: list[Event], error: Any, code: str, message: str) -> None:
    """An error, an exception or a text stands where there is no value."""
    hansei.log_feedback(trace_id=TRACE, error=error)
    attributes = sent[0].attributes
    assert "hansei.assessment.value" not in attributes
    assert attributes["error.type"] == attributes["hansei.assessment.error.code"] == code
    assert attributes["hansei.assessment.error.message"] == message


def test_correct_override_delete(sent: list[Event]) -> None:
    """Each is an event about the same trace that needs no knowledge of what was said."""
    made = hansei.log_assessment(TRACE, hansei.Feedback("quality", 2, source=HUMAN))
    assert made.assessment_id
    corrected = hansei.update_assessment(TRACE, made.assessment_id, hansei.Feedback("quality", 4, rationale="Better."))
    over = hansei.override_feedback(trace_id=TRACE, assessment_id=made.assessment_id, value=1, source=HUMAN)
    assert over.assessment_id
    hansei.delete_assessment(TRACE, over.assessment_id)
    _, correction, override, deletion = sent
    assert correction.attributes == {
        "hansei.assessment.id": made.assessment_id, "hansei.assessment.kind": "feedback",
        "hansei.assessment.correction": True, "gen_ai.evaluation.name": "quality", "hansei.assessment.value": "4",
        "gen_ai.evaluation.score.value": 4, "gen_ai.evaluation.explanation": "Better.",
    }  # fmt: skip
    assert corrected.assessment_id == made.assessment_id
    assert corrected.create_time_ms == made.create_time_ms
    assert override.attributes["hansei.assessment.overrides"] == over.overrides == made.assessment_id
    assert "gen_ai.evaluation.name" not in override.attributes
    assert deletion.attributes == {"hansei.assessment.id": over.assessment_id, "hansei.assessment.deleted": True}
    assert {event.trace_id for event in sent} == {TRACE}
    assert [event.time_ns for event in sent] == sorted({event.time_ns for event in sent})


def loop() -> list[Any]:
    """A list that contains itself."""
    inside: list[Any] = []
    inside.append(inside)
    return inside


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: hansei.log_feedback(trace_id="tr-1", value=1), "trace_id: 'tr-1' is not 32 hexadecimal digits"),
        (lambda: hansei.log_feedback(trace_id="0" * 32, value=1), "is all zeros"),
        (lambda: hansei.log_feedback(trace_id=TRACE, span_id=TRACE, value=1), "span_id: "),
        (lambda: hansei.log_feedback(value=1), "trace_id: there is none"),
        (lambda: hansei.log_feedback(session_id="s", span_id=SPAN, value=1), "span_id: a span is found through"),
        (lambda: hansei.log_feedback(trace_id=TRACE), "value, error: "),
        (lambda: hansei.log_feedback(trace_id=TRACE, value=1, error="x"), "value, error: "),
        (lambda: hansei.log_feedback(trace_id=TRACE, value=1, name=""), "name: '' is empty"),
        (lambda: hansei.log_feedback(trace_id=TRACE, value=object()), "is a object; allowed is a bool, int"),
        (lambda: hansei.log_feedback(trace_id=TRACE, value=[None]), "value: None is a NoneType"),
        (lambda: hansei.log_feedback(trace_id=TRACE, value={1: 2}), "value: the key 1 of a dict"),
        (lambda: hansei.log_feedback(trace_id=TRACE, value=float("nan")), "value: NaN and infinity are not JSON"),
        (lambda: hansei.log_expectation(trace_id=TRACE, name="n", value={1, 2}), "value: {1, 2} is a set"),
        (lambda: hansei.log_expectation(trace_id=TRACE, name="n", value=loop()), "contains itself"),
        (lambda: hansei.log_feedback(trace_id=TRACE, value=1, metadata={"a": None}), "metadata: 'a' is a NoneType"),
        (lambda: hansei.log_feedback(trace_id=TRACE, value=1, metadata=3), "metadata: 3 is not a dict"),  # type: ignore[arg-type]
        (lambda: hansei.log_feedback(trace_id=TRACE, value=1, source="ana"), "source: 'ana' is not"),  # type: ignore[arg-type]
        (lambda: hansei.log_feedback(trace_id=TRACE, error=3), "error: 3 is not"),  # type: ignore[arg-type]
        (lambda: hansei.AssessmentSource("ROBOT"), "source_type: 'ROBOT' is not one of HUMAN, LLM_JUDGE, CODE"),
        (lambda: hansei.Expectation("n", 1, rationale="because"), "an expectation has neither"),
        (lambda: hansei.Assessment("n", 1), "a Feedback or an Expectation"),
        (lambda: hansei.log_assessment(TRACE, "good"), "assessment: 'good' is not"),  # type: ignore[type-var]
        (lambda: hansei.log_assessment(TRACE, hansei.Feedback(value=1, trace_id=TRACE[::-1])), "give the same twice"),
        (lambda: hansei.delete_assessment(TRACE, ""), "assessment_id: '' is empty"),
    ],
)
def test_mistakes(sent: list[Event], call: Callable[[], object], said: str) -> None:
    """A mistake is one error that names the argument and what would be allowed, and nothing is sent."""
    with pytest.raises(hansei.HanseiError) as caught:
        call()
    assert isinstance(caught.value, hansei.InvalidAssessment)
    assert isinstance(caught.value, ValueError)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sent == []


def test_ids_sort_by_creation() -> None:
    """An id is a UUIDv7's digits, and begins with its time."""
    assessment_id = new_assessment_id(0x0193_A1B2_C3D4)
    assert assessment_id.startswith("a-0193a1b2c3d47")
    assert assessment_id[18] in "89ab"
    assert len({new_assessment_id(1) for _ in range(1000)}) == 1000
    assert created_milliseconds("e-" + "0" * 32) is None


def test_clock_never_stands_still() -> None:
    """Two events of a process are in the order of the calls, though the machine's clock be set back."""
    readings = iter([10, 10, 5, 20])
    clock = EventClock(lambda: next(readings))
    assert [clock.tick() for _ in range(4)] == [10, 11, 12, 20]


def test_serialised_request() -> None:
    """The same event as OTLP bytes has its name, time, ids and typed attributes."""
    feedback = hansei.Feedback("q", 0.5, trace_id=TRACE, span_id=SPAN, assessment_id="a", source=HUMAN)
    request = ExportLogsServiceRequest.FromString(export_request([statement(feedback, 5)], "pages"))
    (of_resource,) = request.resource_logs
    assert of_resource.resource.attributes[0].value.string_value == "pages"
    (record,) = of_resource.scope_logs[0].log_records
    assert (record.event_name, record.time_unix_nano) == ("gen_ai.evaluation.result", 5)
    assert (record.trace_id.hex(), record.span_id.hex()) == (TRACE, SPAN)
    values = {pair.key: pair.value for pair in record.attributes}
    assert values["gen_ai.evaluation.score.value"].double_value == 0.5
    assert values["hansei.assessment.value"].string_value == "0.5"
