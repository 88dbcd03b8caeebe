"""What is expected where several people have said it: never the last of them in silence."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansei.evaluation.errors import EvaluationConflict, InvalidEvaluation
from hansei.evaluation.expectations import expected_of
from hansei.feedback.assessment import Assessment, Expectation, Feedback
from hansei.feedback.source import AssessmentSource

TRACE = "a" * 32


def said(value: Any, by: str, at: int, name: str = "expected_response", **more: Any) -> Expectation:
    return Expectation(
        name,
        value,
        AssessmentSource("HUMAN", by),
        TRACE,
        assessment_id=f"{name}-{by}-{at}",
        last_update_time_ms=at,
        **more,
    )


def rules(*assessments: Assessment, **options: Any) -> dict[str, tuple[Any, str]]:
    found = expected_of(assessments, **options)
    return {name: (value, found.by[name].rule) for name, value in found.values.items()}


def test_rules() -> None:
    """One person, all the same, more than half, and an arbiter's decision each make what is expected."""
    assert rules(said("x", "ana", 1)) == {"expected_response": ("x", "only")}
    assert rules(said("x", "ana", 1), said("x", "ben", 2)) == {"expected_response": ("x", "unanimous")}
    votes = [said("y", "ana", 1), said("x", "ben", 2), said("x", "eve", 3)]
    assert rules(*votes) == {"expected_response": ("x", "majority")}
    decision = said("y", "arbiter", 0, metadata={"decided_between": "1,2"})
    assert rules(*votes, decision) == {"expected_response": ("y", "adjudicated")}


def test_disagreement() -> None:
    """Two who disagree make no ground truth: it is left out and told, or what the caller asks for."""
    two = [said("x", "ana", 1), said("y", "ben", 2), said(["a"], "ana", 1, "expected_facts")]
    found = expected_of(two)
    assert dict(found.values) == {"expected_facts": ["a"]}
    assert {name: [each.value for each in those] for name, those in found.conflicts.items()} == {
        "expected_response": ["x", "y"]
    }
    assert rules(*two, on_conflict="newest")["expected_response"] == ("y", "newest")
    with pytest.raises(EvaluationConflict) as caught:
        expected_of(two, on_conflict="error")
    assert str(caught.value) == (f"ana, ben disagree about 'expected_response' of {TRACE}; have it decided, or skip it")
    with pytest.raises(InvalidEvaluation, match="'last' is not one of skip, newest, error"):
        expected_of(two, on_conflict="last")  # type: ignore[arg-type]


def test_changed_mind() -> None:
    """Who says something else later has one voice, the later."""
    assert rules(said("x", "ana", 1), said("y", "ana", 5), said("y", "ben", 2)) == {
        "expected_response": ("y", "unanimous")
    }


def test_lineage() -> None:
    """A choice names the assessments, the people, the labeling session and the version of the question."""
    more = {"labeling_session_id": "session-1", "metadata": {"label_schema_version": "3"}}
    choice = expected_of([said("x", "ana", 1, **more), said("x", "ben", 2, **more)]).by["expected_response"]
    assert choice.to_json() == {
        "rule": "unanimous",
        "assessment_ids": ["expected_response-ben-2", "expected_response-ana-1"],
        "source_ids": ["ben", "ana"],
        "labeling_session_id": "session-1",
        "label_schema_version": "3",
    }


def test_what_does_not_count() -> None:
    """Feedback, what was overridden, and what is said of a single span say nothing of what is expected of the whole."""
    overridden = said("x", "ana", 1, valid=False)
    of_a_span = said("x", "ana", 1, span_id="b" * 16)
    assert rules(overridden, of_a_span, Feedback("expected_response", "x", trace_id=TRACE)) == {}


@given(
    st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("abcde"), st.integers(1, 9), st.booleans()), max_size=8),
    st.randoms(use_true_random=False),
)
def test_order_is_nothing(votes: list[tuple[str, str, int, bool]], random: Any) -> None:
    """The same assessments in another order make the same expectation, and a majority is one."""
    made = [
        said(value, by, at, metadata={"decided_between": "1,2"} if decides else None)
        for value, by, at, decides in {(by, at): (value, by, at, decides) for value, by, at, decides in votes}.values()
    ]
    shuffled = list(made)
    random.shuffle(shuffled)
    found = expected_of(made)
    assert found == expected_of(shuffled)
    for name, choice in found.by.items():
        latest = {each.source: each.value for each in sorted(made, key=lambda each: each.last_update_time_ms or 0)}
        agreeing = [value for value in latest.values() if value == found.values[name]]
        if choice.rule in ("unanimous", "majority"):
            assert 2 * len(agreeing) > len(latest)
