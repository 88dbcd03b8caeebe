"""The form of a rule: which traces are to be looked at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from hansei.feedback.labeling.errors import InvalidLabeling
from hansei.feedback.labeling.rules import (
    DISAGREEMENT,
    FILTER,
    LOW_SCORE,
    NEGATIVE,
    RANDOM,
    STRATIFIED,
    TAKEN,
    Rule,
    rule_of,
)

if TYPE_CHECKING:
    from starlette.datastructures import FormData

NO_RULE: Final = "none"
RULE_NAMES: Final = {
    NO_RULE: "None yet",
    FILTER: "Traces that a filter finds",
    NEGATIVE: "Traces with negative feedback",
    DISAGREEMENT: "Traces on which a judge and a person disagree",
    LOW_SCORE: "Traces with a low score",
    RANDOM: "Traces by lot",
    STRATIFIED: "Some of each kind",
}
_FIELDS: Final = {
    "rule_name": ("name", str), "threshold": ("threshold", float), "weight": ("weight", str),
    "share": ("share", float), "by": ("by", str), "each": ("each", int), "filter": ("filter", str),
    "since": ("since", str), "maximum": ("maximum", int),
}  # fmt: skip
"""Of the form: what a rule calls it, and what it is."""


@dataclass(frozen=True, slots=True)
class RuleForm:
    """What was filled in, as it was."""

    rule: str = NO_RULE
    rule_name: str = ""
    threshold: str = ""
    weight: str = ""
    share: str = ""
    by: str = "service"
    each: str = "10"
    filter: str = ""
    since: str = "7d"
    maximum: str = "100"
    keep: str = ""
    """Whether the session keeps being filled by it."""

    @classmethod
    def of(cls, given: "FormData | Mapping[str, str]") -> "RuleForm":
        """From what a browser sends."""
        found = {field.name: given.get(field.name) for field in fields(cls)}
        # A box that is not ticked is not sent.
        return cls(**{name: text.strip() for name, text in found.items() if isinstance(text, str)})

    @property
    def chosen(self) -> bool:
        """Whether there is a rule."""
        return self.rule != NO_RULE

    def made(self) -> Rule:
        """The rule. Raises :class:`InvalidLabeling` and ``InvalidSearch``."""
        return rule_of(self.json())

    def json(self) -> dict[str, Any]:
        """The rule's JSON, of the fields that its kind has. Raises :class:`InvalidLabeling`."""
        needed, optional = TAKEN.get(self.rule, ((), ()))
        taken = {*needed, *optional, "filter", "since", "maximum"}
        found: dict[str, Any] = {"kind": self.rule}
        for field, (name, kind) in _FIELDS.items():
            text = getattr(self, field)
            if name in taken and text:
                found[name] = _read(name, kind, text)
        return found


def _read(name: str, kind: Callable[[str], Any], text: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        example = "a whole number, such as 100" if kind is int else "a number, such as 0.5"
        raise InvalidLabeling(f"{name}: {text[:40]!r} is not {example}") from None
