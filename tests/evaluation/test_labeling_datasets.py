"""Between datasets and labeling: a dataset's traces are labelled, and what experts expect becomes a dataset."""

import uuid
from typing import Any

import pytest

import hansei
from hansei.evaluation.datasets.dataset import Dataset, create_dataset
from hansei.feedback.labeling.errors import InvalidLabeling, LabelingConflict, UnknownLabeling
from hansei.feedback.labeling.labeling_session import LabelingSession, create_labeling_session

# The tests are no package whose name could be written out.
from ..collector.processes import Serving  # noqa: TID252
from .conftest import Traces

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def dataset() -> Dataset:
    return create_dataset(f"dataset {uuid.uuid4().hex}")


@pytest.fixture
def session(here: Serving) -> LabelingSession:
    hansei.create_label_schema(
        "expected_response", type="expectation", title="What would be right?", input=hansei.InputText(), overwrite=True
    )
    hansei.create_label_schema("good", type="feedback", title="Good?", input=hansei.InputPassFail(), overwrite=True)
    return create_labeling_session(
        f"session {uuid.uuid4().hex}",
        label_schemas=["expected_response", "good"],
        assigned_users=["ana", "ben"],
        reviewers_per_item=2,
    )


def label(session: LabelingSession, trace_id: str | None, by: str, value: Any, **more: Any) -> str:
    """As the review app records what a reviewer hands in."""
    metadata = {"label_schema": "expected_response", "label_schema_version": "4", **more.pop("metadata", {})}
    expectation = hansei.Expectation(
        "expected_response", value, hansei.AssessmentSource("HUMAN", by), trace_id, metadata=metadata,
        labeling_session_id=session.labeling_session_id, **more,
    )  # fmt: skip
    return str(hansei.feedback_client().log_assessment(trace_id, expectation).assessment_id)


def test_add_dataset(dataset: Dataset, session: LabelingSession, traces: Traces) -> None:
    """The traces behind a dataset's records are to be labelled, once each; records without one are counted."""
    one, two = traces.add_many([{"inputs": f"{dataset.name} {each}", "outputs": "x"} for each in range(2)])
    dataset.merge_records([{"trace_id": one}, {"inputs": "by hand"}, {"inputs": "too"}])
    dataset.merge_records([{"trace_id": two}])
    session.add_dataset(dataset.at(1))
    assert session.added is not None
    assert (session.added.added, session.added.already_there, session.added.without_trace) == (1, 0, 2)
    session.add_dataset(dataset.name)
    assert (session.added.added, session.added.already_there, session.added.without_trace) == (1, 1, 2)
    assert session.progress()["items"] == 2
    with pytest.raises(UnknownLabeling, match="there is no dataset of the name or id 'none'"):
        session.add_dataset("none")
    with pytest.raises(UnknownLabeling, match="there is no version 9"):
        session.add_dataset(dataset, version=9)
    with pytest.raises(InvalidLabeling, match="dataset: 3 is neither a dataset nor the name of one"):
        session.add_dataset(3)


def test_sync(dataset: Dataset, session: LabelingSession, traces: Traces, here: Serving) -> None:
    """What experts expect becomes records with their labels by a stated rule; what is disputed is told and left out."""
    agreed, disputed, decided, unlabelled, elsewhere = traces.add_many(
        [{"inputs": {"question": f"{dataset.name} {each}"}, "outputs": f"answer {each}"} for each in range(5)]
    )
    session.add_traces([agreed, disputed, decided, unlabelled], session_ids=["a conversation"])
    labels = [label(session, agreed, by, "Right.") for by in ("ana", "ben")]
    label(session, disputed, "ana", "One.")
    label(session, disputed, "ben", "Two.")
    both = [label(session, decided, "ana", "One."), label(session, decided, "ben", "Two.")]
    decision = label(session, decided, "eve", "Two.", metadata={"decided_between": ",".join(both)})
    label(session, None, "ana", "Whole.", session_id="a conversation")
    for trace_id in (agreed, elsewhere):
        hansei.feedback_client().log_expectation(trace_id=trace_id, name="expected_facts", value=["not of the session"])
    here.wait_stored()
    with pytest.raises(LabelingConflict, match=r"(ana, ben|ben, ana) disagree about 'expected_response'"):
        session.sync(dataset, on_conflict="error")
    found = session.sync(dataset)
    told = ("version", "added", "labelled", "conflict_count", "conversations_left_out")
    assert [found[name] for name in told] == [1, 3, 3, 1, 1]
    (conflict,) = found["conflicts"]
    assert (conflict["trace_id"], conflict["name"]) == (disputed, "expected_response")
    assert sorted((each["source_id"], each["value"]) for each in conflict["said"]) == [("ana", "One."), ("ben", "Two.")]
    records = {each["source"]["trace"]["trace_id"]: each for each in dataset.refresh().records}
    assert {trace_id: each["expectations"] for trace_id, each in records.items()} == {
        agreed: {"expected_response": "Right."}, disputed: {}, decided: {"expected_response": "Two."},
    }  # fmt: skip
    by = records[agreed]["source"]["labels"]["expected_response"]
    assert (by["rule"], sorted(by["assessment_ids"]), sorted(by["source_ids"])) == (
        "unanimous", sorted(labels), ["ana", "ben"],
    )  # fmt: skip
    assert (by["labeling_session_id"], by["label_schema_version"]) == (session.labeling_session_id, "4")
    by = records[decided]["source"]["labels"]["expected_response"]
    assert (by["rule"], by["assessment_ids"], by["source_ids"]) == ("adjudicated", [decision], ["eve"])
    assert dataset.versions()[0].note == f"labeling session {session.name}"
    # Nothing new was said.
    assert dataset.merge_records(session).merged is not None
    assert (dataset.version, dataset.merged.is_new if dataset.merged else None) == (1, False)
    with pytest.raises(UnknownLabeling, match="there is no dataset of the name or id 'none'"):
        session.sync("none")
    with pytest.raises(InvalidLabeling, match="on_conflict: 'last' is not one of skip, newest, error"):
        session.sync(dataset, on_conflict="last")
