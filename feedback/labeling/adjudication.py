"""Deciding where reviewers differ.

A decision is an assessment of its own, by a person, that names the answers which it decides between. The answers stay
as they are, and nothing becomes ground truth by itself: who reads labels chooses whether decisions come before answers.
"""

from collections.abc import Sequence
from typing import Any

from hansei.feedback.labeling.desk_labels import assessment_of
from hansei.feedback.labeling.errors import InvalidLabel, LabelingConflict
from hansei.feedback.labeling.inputs import input_of
from hansei.feedback.labeling.labels import DECIDED_BETWEEN, Label
from hansei.feedback.labeling.model import Item, LabelingSessionRecord, LabelSchemaVersion
from hansei.feedback.recorder import Recorder


def decide(
    ledger: Recorder,
    session: LabelingSessionRecord,
    item: Item,
    question: LabelSchemaVersion,
    labels: Sequence[Label],
    *,
    arbiter: str,
    value: Any,
    comment: str = "",
) -> str:
    """Record what an arbiter decides about an item; answers the id of the assessment. Blocks for the disk.

    ``labels`` are those of the session about the item; the decision names the answers to the question among them. An
    arbiter who decides again corrects the decision. Raises :class:`InvalidLabel`, :class:`LabelingConflict` where
    nobody has answered, ``InvalidAssessment`` and ``Refused``.
    """
    here = [label for label in labels if label.item_id == item.item_id and label.question == question.name]
    answers = [label.assessment_id for label in here if not label.decides]
    if not answers:
        raise LabelingConflict(f"{question.name}: nobody has answered yet, so there is nothing to decide")
    try:
        checked = input_of(question.input).check(value)
    except InvalidLabel as error:
        raise InvalidLabel(f"{question.name}: {error}") from None
    said = {"value": checked, "comment": comment.strip()}
    decision = assessment_of(session, item, question, said, arbiter, {DECIDED_BETWEEN: ",".join(answers)})
    before = [label.assessment_id for label in here if label.decides and label.reviewer == arbiter]
    if before:
        return str(ledger.correct(decision.trace_id, before[-1], decision).assessment_id)
    return str(ledger.record(decision).assessment_id)
