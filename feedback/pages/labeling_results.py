"""What came out of a labeling session: answers, how far they agree, and where they differ."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hansei.feedback.labeling.items import read_items
from hansei.feedback.labeling.labels import Label, read_labels
from hansei.feedback.labeling.model import ARBITER, Item, LabelingSessionRecord, LabelSchemaVersion
from hansei.feedback.labeling.reviewers import reviewers_of
from hansei.feedback.labeling.schemas import read_schema_versions
from hansei.feedback.labeling.work import read_work
from hansei.feedback.pages.formats import NOTHING
from hansei.feedback.pages.session_address import session_address

if TYPE_CHECKING:
    from hansei.feedback.labeling.agreement import QuestionAgreement
    from hansei.feedback.labeling.patterns import ReviewerPatterns
    from hansei.feedback.labeling.resampling import Coefficient
    from hansei.feedback.search.connection import Query

RELIABLE: Final = 0.8
TENTATIVE: Final = 0.667
"""Krippendorff's own bounds for alpha: from the one on data can be relied on, from the other on for tentative
conclusions (*Content Analysis*, 2004, page 241)."""
_LONGEST: Final = 120


@dataclass(frozen=True, slots=True)
class Said:
    """Answers to a question about an item, side by side, and what an arbiter decided."""

    question: LabelSchemaVersion
    labels: Sequence[Label]
    """Of reviewers; one each."""
    decisions: Sequence[Label]
    score: float | None
    """How far they are apart; None where one alone answered, and where it is not measured."""

    @property
    def differs(self) -> bool:
        """Whether not all say the same."""
        return len({shown(label.value, self.question) for label in self.labels}) > 1


@dataclass(frozen=True, slots=True)
class ItemResult:
    """An item with all that was answered of it."""

    item: Item
    said: Sequence[Said]

    @property
    def score(self) -> float:
        """The sum of how far the answers to each question are apart."""
        return sum(one.score or 0.0 for one in self.said)

    @property
    def differs(self) -> bool:
        """Whether reviewers differ in any question that can be compared."""
        return any(one.differs and one.score is not None for one in self.said)

    @property
    def open(self) -> bool:
        """Whether they differ in a question that nobody has decided."""
        return any(one.differs and one.score is not None and not one.decisions for one in self.said)


@dataclass(frozen=True, slots=True)
class Results:
    """Of a session."""

    session: LabelingSessionRecord
    questions: "Sequence[tuple[LabelSchemaVersion, QuestionAgreement]]"
    items: Sequence[ItemResult]
    """Those with an answer; the furthest apart first."""
    patterns: "Sequence[ReviewerPatterns]"
    reviewers: Sequence[str] = field(default=())

    @property
    def disagreements(self) -> list[ItemResult]:
        """Where reviewers differ, the undecided first."""
        return sorted((one for one in self.items if one.differs), key=lambda one: (not one.open, -one.score))


def read_results(query: "Query", session: LabelingSessionRecord) -> Results:
    """The results of a session. Arbiters' answers and decisions are not part of the agreement."""
    # What counts with arrays is loaded by the first who asks for it, not by every server.
    from hansei.feedback.labeling.agreement import question_agreement
    from hansei.feedback.labeling.answers import Answer
    from hansei.feedback.labeling.patterns import Question, patterns

    items = read_items(query, session.session_id)
    labels = read_labels(query, session.session_id, items)
    arbiters = {one.reviewer for one in reviewers_of(query, session.session_id) if one.role == ARBITER}
    schemas = read_schema_versions(query, session)
    decisions = [label for label in labels if label.decides or label.reviewer in arbiters]
    answers = [label for label in labels if not label.decides and label.reviewer not in arbiters]
    agreements, asked, scores = [], [], {}
    for schema in schemas:
        given = [
            Answer(label.item_id, label.reviewer, label.value) for label in answers if label.question == schema.name
        ]
        agreement = question_agreement(given, schema.input["type"])
        agreements.append((schema, agreement))
        asked.append(Question(schema.name, given, agreement, _labels(schema)))
        scores[schema.name] = {one.item: one.score for one in agreement.by_item}
    work = [one for one in read_work(query, session.session_id) if one.reviewer not in arbiters]
    said_of, decided_of = _by_question(answers), _by_question(decisions)
    found = [_item(item, schemas, said_of, decided_of, scores) for item in items]
    said = sorted((one for one in found if one.said), key=lambda one: (-one.score, one.item.position))
    return Results(session, agreements, said, patterns(work, asked), sorted({label.reviewer for label in answers}))


def read_item_labels(query: "Query", session: LabelingSessionRecord, item: Item) -> list[Label]:
    """The labels of an item."""
    return read_labels(query, session.session_id, [item])


def shown(value: Any, question: LabelSchemaVersion) -> str:
    """An answer as it is read."""
    if isinstance(value, bool):
        return _labels(question).get(value, str(value))
    if isinstance(value, list):
        return "; ".join(str(one) for one in value) or NOTHING
    return value if isinstance(value, str) else json.dumps(value)


def brief(text: str) -> str:
    """The beginning of a long text."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def item_address(item: Item) -> str:
    """Where an item is looked at."""
    if not item.trace_id:
        return session_address(item.conversation_id)
    return f"/traces/{item.trace_id}" + (f"?span={item.span_id}" if item.span_id else "")


def item_name(item: Item) -> str:
    """What an item is called."""
    if not item.trace_id:
        return item.conversation_id
    return item.trace_id[:12] + (f" · {item.span_id[:8]}" if item.span_id else "")


def percent(coefficient: "Coefficient") -> str:
    """``82 %``."""
    return NOTHING if coefficient.value is None else f"{coefficient.value:.0%}".replace("%", "\N{NO-BREAK SPACE}%")


def percent_interval(coefficient: "Coefficient") -> str:
    """``74 to 90 %``; empty where there is no interval."""
    if coefficient.low is None or coefficient.high is None:
        return ""
    return f"{coefficient.low * 100:.0f} to {coefficient.high * 100:.0f}\N{NO-BREAK SPACE}%"


def decimal(value: float | None) -> str:
    """``0.71``."""
    return NOTHING if value is None else f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def interval(coefficient: "Coefficient") -> str:
    """``0.62 to 0.79``; empty where there is none."""
    if coefficient.low is None or coefficient.high is None:
        return ""
    return f"{decimal(coefficient.low)} to {decimal(coefficient.high)}"


def reading(coefficient: "Coefficient") -> tuple[str, str]:
    """What alpha says, as a class and a word."""
    if coefficient.value is None:
        return "", ""
    if coefficient.value >= RELIABLE:
        return "ok", "reliable"
    return ("warn", "tentative") if coefficient.value >= TENTATIVE else ("error", "low")


def _labels(schema: LabelSchemaVersion) -> dict[bool, str]:
    given = schema.input
    return {True: given["positive_label"], False: given["negative_label"]} if "positive_label" in given else {}


_Labels = Mapping[tuple[str, str], Sequence[Label]]


def _by_question(labels: Sequence[Label]) -> _Labels:
    found: dict[tuple[str, str], list[Label]] = {}
    for label in labels:
        found.setdefault((label.item_id, label.question), []).append(label)
    return found


def _item(
    item: Item,
    schemas: Sequence[LabelSchemaVersion],
    answers: _Labels,
    decisions: _Labels,
    scores: Mapping[str, Mapping[str, float]],
) -> ItemResult:
    said = []
    for schema in schemas:
        here, decided = (of.get((item.item_id, schema.name), ()) for of in (answers, decisions))
        if here or decided:
            last = {label.reviewer: label for label in here}
            given = [last[who] for who in sorted(last)]
            said.append(Said(schema, given, decided, scores[schema.name].get(item.item_id)))
    return ItemResult(item, said)
