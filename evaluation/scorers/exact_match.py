"""Whether the answer is the expected one."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hansei.evaluation.scorers.code_scorer import CodeScorer, answer_text, quoted
from hansei.evaluation.scorers.expected import Expected, expected_of
from hansei.evaluation.scorers.json_of import NotJson, json_of
from hansei.feedback.assessment import Feedback


@dataclass(eq=False, kw_only=True)
class ExactMatch(CodeScorer):
    """Whether the answer is the expected text, or with ``expected_facts`` has every one of them in it word for word.

    White space counts as one space, and not at the ends; how a letter with an accent is encoded does not count. An
    expectation that is an object or a list of something else than texts is compared as data with the JSON in the
    answer. Raises ``InvalidEvaluation``.
    """

    name: str = "exact_match"
    expectation: str | None = None
    """The name of the expectation; None: ``expected_response``, or else ``expected_facts``."""
    case_insensitive: bool = False

    def __call__(self, *, outputs: Any = None, expectations: Mapping[str, Any] | None = None) -> Feedback:
        """True or False. Raises ``NotApplicable``."""
        expected = expected_of(expectations, self.expectation)
        if not isinstance(expected.values[0], str):
            return self.said(*_same_data(outputs, expected.values[0]))
        answer = self._normal(answer_text(outputs))
        wanted = [self._normal(text) for text in expected.texts]
        if expected.all_of:
            return self.said(*_facts(answer, expected, wanted))
        if answer in wanted:
            return self.said(True, "the answer is the expected one")
        several = f"none of {len(wanted)} expected ones, as " if len(wanted) > 1 else "not "
        return self.said(False, f"the answer {quoted(answer)} is {several}{quoted(expected.texts[0])}")

    def _normal(self, text: str) -> str:
        text = " ".join(text.split())
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)
        return text.casefold() if self.case_insensitive else text


def _facts(answer: str, expected: Expected, wanted: list[str]) -> tuple[bool, str]:
    lacking = [text for text, fact in zip(expected.texts, wanted, strict=True) if fact not in answer]
    if not lacking:
        return True, f"all {len(wanted)} expected facts are in the answer"
    return False, f"{len(lacking)} of {len(wanted)} facts not in the answer, as {quoted(lacking[0])}"


def _same_data(outputs: Any, wanted: Any) -> tuple[bool, str]:
    answer_text(outputs)
    try:
        found = json_of(outputs)
    except NotJson as error:
        return False, f"data is expected, and the answer is no JSON: {error}"
    same = _equal(found, wanted)
    return same, f"the data is {'the expected one' if same else 'another than expected'}"


def _equal(one: Any, other: Any) -> bool:
    """Equal as JSON: 1 is 1.0, and not true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)
