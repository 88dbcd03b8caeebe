"""What should have been answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hansei.evaluation.errors import NotApplicable
from hansei.evaluation.scorers.text_of import text_of

RESPONSE: Final = "expected_response"
FACTS: Final = "expected_facts"


@dataclass(frozen=True, slots=True)
class Expected:
    """An expectation about the answer."""

    values: Sequence[Any]
    """At least one."""
    all_of: bool = False
    """Whether every one of them is expected, as facts are; otherwise any one of them is right."""

    @property
    def texts(self) -> list[str]:
        """The values as texts."""
        return [text_of(value) for value in self.values]

    @property
    def references(self) -> list[str]:
        """Whole answers to compare with: those that are right each, or one in which all facts stand, a line each."""
        return ["\n".join(self.texts)] if self.all_of else self.texts


def expected_of(expectations: Mapping[str, Any] | None, name: str | None) -> Expected:
    """The expectation by this name; without a name ``expected_response``, or else ``expected_facts``.

    A list of texts is several answers of which any is right; in ``expected_facts`` each is one of the facts.
    Raises ``NotApplicable`` where there is none, or it is empty.
    """
    given = expectations or {}
    names = (name,) if name is not None else (RESPONSE, FACTS)
    for each in names:
        value = given.get(each)
        if value is None or value in ("", [], ()):
            continue
        several = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
        return Expected(list(value) if several else [value], all_of=each == FACTS)
    raise NotApplicable(f"there is no expectation {' or '.join(names)}")
