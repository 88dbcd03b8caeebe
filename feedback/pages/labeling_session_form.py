"""The form of a labeling session: what is asked of whom, and how the work is shared out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from hansei.feedback.labeling.errors import InvalidLabeling
from hansei.feedback.labeling.model import SessionSettings
from hansei.feedback.pages.labeling_rule_form import RuleForm

if TYPE_CHECKING:
    from starlette.datastructures import FormData

_UP: Final = "up"


@dataclass(frozen=True, slots=True)
class SessionForm:
    """What was filled in, as it was."""

    name: str = ""
    order: Sequence[str] = ()
    """All questions, in the order in which the form lists them."""
    questions: frozenset[str] = frozenset()
    """Those that are ticked."""
    reviewers: str = ""
    """One a line."""
    reviewers_per_item: str = "1"
    show_feedback: str = ""
    link_days: str = "30"
    rule: RuleForm = field(default_factory=RuleForm)

    @classmethod
    def of(cls, given: "FormData", known: Sequence[str]) -> "SessionForm":
        """From what a browser sends; ``known`` are the questions that there are."""
        order = [str(name) for name in given.getlist("order") if name in known]
        listed = tuple(dict.fromkeys([*order, *known]))
        texts = {
            name: str(given.get(name) or "").strip()
            for name in ("name", "reviewers", "reviewers_per_item", "show_feedback", "link_days")
        }
        ticked = frozenset(str(name) for name in given.getlist("question"))
        form = cls(**texts, order=listed, questions=ticked, rule=RuleForm.of(given))
        direction, _, moved = str(given.get("move") or "").partition(":")
        return form.moved(moved, direction) if moved in listed else form

    def moved(self, name: str, direction: str) -> "SessionForm":
        """With a question one place up or down."""
        order = list(self.order)
        place = order.index(name)
        other = place + (-1 if direction == _UP else 1)
        if 0 <= other < len(order):
            order[place], order[other] = order[other], order[place]
        return replace(self, order=tuple(order))

    @property
    def label_schemas(self) -> list[str]:
        """The questions that are asked, in their order. Raises :class:`InvalidLabeling`."""
        asked = [name for name in self.order if name in self.questions]
        if not asked:
            raise InvalidLabeling("questions: none is ticked; a session asks at least one")
        return asked

    @property
    def reviewer_names(self) -> list[str]:
        """Who labels, each once."""
        return people(self.reviewers)

    def settings(self) -> SessionSettings:
        """How the work is shared out. Raises :class:`InvalidLabeling`."""
        try:
            each = int(self.reviewers_per_item)
        except ValueError:
            raise InvalidLabeling(
                f"reviewers_per_item: {self.reviewers_per_item[:40]!r} is not a whole number, such as 2"
            ) from None
        try:
            days = float(self.link_days)
        except ValueError:
            raise InvalidLabeling(f"link_days: {self.link_days[:40]!r} is not a number, such as 30") from None
        rules = (self.rule.json(),) if self.rule.chosen and self.rule.keep else ()
        return SessionSettings(
            reviewers_per_item=each, show_feedback=bool(self.show_feedback), link_days=days, rules=rules
        )


def people(text: str) -> list[str]:
    """Addresses or names, one a line or with commas between them, each once."""
    return list(dict.fromkeys(name.strip() for name in re.split(r"[\n,;]", text) if name.strip()))
