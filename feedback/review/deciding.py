"""The desk of an arbiter: the items on which reviewers differ, one after the other, and what is decided of each.

It is asked like the :class:`~hansei.feedback.labeling.desk.Desk` of reviewers, but shares nothing out: several arbiters
may decide the same. Drafts stay in the arbiter's browser; what is skipped comes again after the server has restarted.
"""

import json
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hansei.feedback.labeling.adjudication import decide
from hansei.feedback.labeling.assignment import Answers, Assigned, OwnItem, ReviewerProgress, Submitted
from hansei.feedback.labeling.desk_answers import Questions
from hansei.feedback.labeling.desk_errors import NotYours
from hansei.feedback.labeling.inputs import InputText
from hansei.feedback.labeling.items import read_items
from hansei.feedback.labeling.labels import Label, read_labels
from hansei.feedback.labeling.model import DONE, LEASED, SKIPPED, Item, LabelingSessionRecord, LabelSchemaVersion

if TYPE_CHECKING:
    from hansei.feedback.labeling.desk import Desk
    from hansei.feedback.web.site import Site

_MOST_KEPT: Final = 10_000
_WAIT: Final = 2.0
"""Seconds that a decision waits to be readable, so that the same item is not next again."""
_PAUSE: Final = 0.05


@dataclass(frozen=True, slots=True)
class _Differing:
    """An item on which reviewers differ."""

    item: Item
    labels: Sequence[Label]
    """Of reviewers, and decisions."""
    agreed: dict[str, Any]
    """What all say who answered, by question."""
    own: dict[str, Label] = field(default_factory=dict)
    """What this arbiter decided, by question."""


class Skipped:
    """What arbiters left for later; of a server. Thread-safe, as single operations on a dict are."""

    def __init__(self) -> None:
        self._all: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    def add(self, session_id: str, arbiter: str, item_id: str) -> None:
        """Leave an item."""
        self._all[(session_id, arbiter, item_id)] = None
        if len(self._all) > _MOST_KEPT:
            self._all.popitem(last=False)

    def __contains__(self, what: tuple[str, str, str]) -> bool:
        return what in self._all


class DecidingDesk:
    """Of an arbiter's session. All methods block."""

    def __init__(self, site: "Site", desk: "Desk", skipped: Skipped) -> None:
        self._site = site
        self._skipped = skipped
        self.session: LabelingSessionRecord = desk.session
        self.questions: Sequence[LabelSchemaVersion] = desk.questions

    def next_item(self, arbiter: str, after: str | None = None) -> Assigned | None:
        """The first item that is not decided."""
        found = self._differing(arbiter)
        return next((self._assigned(one, arbiter) for one in found if self._state(one, arbiter) == LEASED), None)

    def open_item(self, arbiter: str, item_id: str) -> Assigned:
        """An item on which reviewers differ. Raises :class:`NotYours`."""
        return self._assigned(self._one(arbiter, item_id), arbiter)

    def heartbeat(self, arbiter: str, item_id: str, seconds: float) -> int | None:
        """Nothing is leased."""
        return None

    def save_draft(self, arbiter: str, item_id: str, answers: Answers, seconds: float, revision: int) -> int:
        """No draft is kept here: the browser keeps its own."""
        return 0

    def submit(
        self, arbiter: str, item_id: str, answers: Answers, seconds: float, revision: int | None = None
    ) -> Submitted:
        """Decide each question that was answered, where it is not what all say anyway or what was decided before.

        Raises as the desk of reviewers does.
        """
        one = self._one(arbiter, item_id)
        recorded = {}
        for name, said in Questions(self.questions).complete(answers).items():
            before, comment = one.own.get(name), said.get("comment", "")
            same = before is not None and (before.value, before.comment) == (said["value"], comment)
            if same or (before is None and name in one.agreed and one.agreed[name] == said["value"] and not comment):
                continue
            if not any(label.question == name and not label.decides for label in one.labels):
                continue
            schema = next(schema for schema in self.questions if schema.name == name)
            recorded[name] = decide(
                self._site.ledger, self.session, one.item, schema, one.labels, arbiter=arbiter, value=said["value"],
                comment=comment,
            )  # fmt: skip
        deadline = time.monotonic() + _WAIT
        while recorded and time.monotonic() < deadline:
            if {label.assessment_id for label in self._one(arbiter, item_id).own.values()} >= set(recorded.values()):
                break
            time.sleep(_PAUSE)
        return Submitted(item_id, recorded, list(recorded))

    def skip(self, arbiter: str, item_id: str, reason: str = "") -> None:
        """Leave an item for later."""
        self._skipped.add(self.session.session_id, arbiter, item_id)

    def flag(self, arbiter: str, item_id: str, note: str) -> None:
        """An arbiter's note has no place of its own: it is part of what is decided, as a comment."""

    def progress(self, arbiter: str) -> ReviewerProgress:
        """How much is decided."""
        states = [self._state(one, arbiter) for one in self._differing(arbiter)]
        return ReviewerProgress(states.count(DONE) + 1, states.count(DONE), states.count(LEASED), None)

    def history(self, arbiter: str) -> list[OwnItem]:
        """What was decided or skipped, and what is next."""
        found = [(one, self._state(one, arbiter)) for one in self._differing(arbiter)]
        begun = [each for each in found if each[1] != LEASED]
        return [OwnItem(one.item.item_id, state, 0) for one, state in begun + [e for e in found if e[1] == LEASED][:1]]

    def _one(self, arbiter: str, item_id: str) -> _Differing:
        for one in self._differing(arbiter):
            if one.item.item_id == item_id:
                return one
        raise NotYours("reviewers do not differ on this item, or it was removed")

    def _differing(self, arbiter: str) -> list[_Differing]:
        query, session_id = self._site.reader.query, self.session.session_id
        items = read_items(query, session_id)
        of_item: dict[str, list[Label]] = {}
        for label in read_labels(query, session_id, items):
            of_item.setdefault(label.item_id, []).append(label)
        return [
            found
            for item in items
            if (found := self._compared(item, of_item.get(item.item_id, []), arbiter)) is not None
        ]

    def _compared(self, item: Item, labels: Sequence[Label], arbiter: str) -> _Differing | None:
        """None where nobody differs. Free texts always do, and are not compared."""
        agreed, differs = {}, False
        for schema in self.questions:
            given = [label.value for label in labels if label.question == schema.name and not label.decides]
            different = {json.dumps(value, sort_keys=True) for value in given}
            if len(different) == 1:
                agreed[schema.name] = given[0]
            elif len(different) > 1 and schema.input["type"] != InputText.TYPE:
                differs = True
        own = {label.question: label for label in labels if label.decides and label.reviewer == arbiter}
        return _Differing(item, labels, agreed, own) if differs else None

    def _state(self, one: _Differing, arbiter: str) -> str:
        if one.own:
            return DONE
        return SKIPPED if (self.session.session_id, arbiter, one.item.item_id) in self._skipped else LEASED

    def _assigned(self, one: _Differing, arbiter: str) -> Assigned:
        answers: dict[str, dict[str, Any]] = {name: {"value": value} for name, value in one.agreed.items()}
        answers |= {name: {"value": label.value, "comment": label.comment} for name, label in one.own.items()}
        return Assigned(one.item, self._state(one, arbiter), answers, 0, 0.0, None)
