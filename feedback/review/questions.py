"""The questions as the page asks them, and the answers as it sends them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import FormData

from hansei.feedback.labeling.assignment import Answers
from hansei.feedback.labeling.desk_answers import REQUIRED
from hansei.feedback.labeling.inputs import (
    LONGEST_TEXT,
    MOST_TEXTS,
    InputCategorical,
    InputCategoricalList,
    InputNumeric,
    InputPassFail,
    InputText,
    InputTextList,
    input_of,
)
from hansei.feedback.labeling.model import LabelSchemaVersion
from hansei.feedback.review.language import Language

_SLIDER_STEPS: Final = 100
"""A range of whole numbers that is not wider has a slider too."""
_WRITTEN: Final = (InputText.TYPE, InputTextList.TYPE)


@dataclass(frozen=True, slots=True)
class Question:
    """A question, with what was answered so far."""

    number: int
    """Its place, from 0; fields of the form end in it."""
    schema: LabelSchemaVersion
    value: Any = None
    comment: str = ""
    problem: str = ""

    @property
    def kind(self) -> str:
        """The type of its input."""
        return str(self.schema.input["type"])

    @property
    def optional(self) -> bool:
        """Whether it may be left out."""
        return self.kind not in REQUIRED

    @property
    def choices(self) -> list[tuple[str, str]]:
        """What can be chosen: what is sent, and what is read."""
        asked = input_of(self.schema.input)
        if isinstance(asked, InputPassFail):
            return [("true", asked.positive_label), ("false", asked.negative_label)]
        return (
            [(option, option) for option in asked.options]
            if isinstance(asked, InputCategorical | InputCategoricalList)
            else []
        )

    @property
    def chosen(self) -> Sequence[str]:
        """What of it was."""
        if self.value is None:
            return ()
        if isinstance(self.value, bool):
            return ("true" if self.value else "false",)
        return self.value if isinstance(self.value, list) else (str(self.value),)

    @property
    def lines(self) -> list[str]:
        """The texts of a list."""
        return list(self.value) if isinstance(self.value, list) else []

    @property
    def longest(self) -> int:
        """Characters of a text."""
        limits = self.schema.input
        return limits.get("max_length") or limits.get("max_length_each") or LONGEST_TEXT

    @property
    def most_lines(self) -> int:
        """Of a list."""
        return self.schema.input.get("max_count") or MOST_TEXTS

    @property
    def least(self) -> float | None:
        """The smallest number."""
        return _limit(self.schema.input.get("min_value"))

    @property
    def most(self) -> float | None:
        """The largest number."""
        return _limit(self.schema.input.get("max_value"))

    @property
    def written(self) -> str:
        """A number as its field holds it."""
        given = self.value
        return str(_whole(given)) if isinstance(given, int | float) and not isinstance(given, bool) else ""

    @property
    def slider_step(self) -> float | None:
        """Of a slider beside the field; None where there is none."""
        least, most = self.least, self.most
        if self.kind != InputNumeric.TYPE or least is None or most is None:
            return None
        if most - least <= 1:
            return (most - least) / 20
        return 1 if most - least <= _SLIDER_STEPS and least == int(least) else None


def questions_of(
    schemas: Sequence[LabelSchemaVersion], answers: Answers, problems: Mapping[str, str] | None = None
) -> list[Question]:
    """The questions, filled with answers."""
    found = []
    for number, schema in enumerate(schemas):
        given = answers.get(schema.name) or {}
        problem = (problems or {}).get(schema.name, "")
        found.append(Question(number, schema, given.get("value"), given.get("comment") or "", problem))
    return found


def answers_of_json(schemas: Sequence[LabelSchemaVersion], given: Any) -> Answers:
    """Answers as the page's script sends them: by the number of the question. What is no answer is left out."""
    found: dict[str, Mapping[str, Any]] = {}
    for number, schema in enumerate(schemas):
        one = given.get(str(number)) if isinstance(given, Mapping) else None
        if isinstance(one, Mapping):
            comment = one.get("comment")
            _put(found, schema, one.get("value"), comment if isinstance(comment, str) else "")
    return found


def answers_of_form(schemas: Sequence[LabelSchemaVersion], form: FormData) -> Answers:
    """Answers as the form sends them, without a script."""
    found: dict[str, Mapping[str, Any]] = {}
    for number, schema in enumerate(schemas):
        texts = [text for text in form.getlist(f"answer-{number}") if isinstance(text, str)]
        kind = schema.input["type"]
        value: Any = texts
        if kind == InputPassFail.TYPE:
            value = {"true": True, "false": False}.get(texts[0]) if texts else None
        elif kind == InputNumeric.TYPE:
            value = _number(texts[0]) if texts and texts[0].strip() else None
        elif kind in (InputCategorical.TYPE, InputText.TYPE):
            # Forms send other ends of lines than what was typed.
            value = texts[0].replace("\r\n", "\n") if texts else None
        _put(found, schema, value, str(form.get(f"comment-{number}") or "").replace("\r\n", "\n"))
    return found


def _put(found: dict[str, Mapping[str, Any]], schema: LabelSchemaVersion, value: Any, comment: str) -> None:
    if isinstance(value, list):
        value = [each for each in value if not isinstance(each, str) or each.strip()] or None
    elif isinstance(value, str) and not value.strip():
        value = None
    if value is not None or comment.strip():
        found[schema.name] = {"value": value, "comment": comment if schema.enable_comment else ""}


def unanswered(schemas: Sequence[LabelSchemaVersion], answers: Answers, language: Language) -> dict[str, str]:
    """What must be told before the answers can be handed in, by question, in the reviewer's language."""
    problems = {}
    for question in questions_of(schemas, answers):
        problem = _problem(question, language)
        if problem:
            problems[question.schema.name] = problem
    # Where everything may be left out, something is still to be said.
    if not problems and schemas and all((answers.get(one.name) or {}).get("value") is None for one in schemas):
        problems[schemas[0].name] = language("problem.nothing")
    return problems


def _problem(question: Question, language: Language) -> str:
    value, kind = question.value, question.kind
    if value is None:
        if question.optional:
            return language("problem.comment_alone") if question.comment.strip() else ""
        return language("problem.number" if kind == InputNumeric.TYPE else "problem.choose")
    if kind == InputNumeric.TYPE:
        return _problem_of_number(question, language)
    if kind == InputTextList.TYPE and isinstance(value, list) and len(value) > question.most_lines:
        return language("problem.lines", most=language.number(question.most_lines))
    texts = value if isinstance(value, list) else [value]
    if kind in _WRITTEN and any(isinstance(each, str) and len(each) > question.longest for each in texts):
        return language("problem.long", most=language.number(question.longest))
    return ""


def _problem_of_number(question: Question, language: Language) -> str:
    value, least, most = question.value, question.least, question.most
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return language("problem.number")
    if (least is None or value >= least) and (most is None or value <= most):
        return ""
    return number_limits(question, language)


def number_limits(question: Question, language: Language) -> str:
    """Which numbers a question takes; empty where it takes all."""
    least, most = question.least, question.most
    if least is not None and most is not None:
        return language("limits.both", least=language.number(least), most=language.number(most))
    if least is not None:
        return language("limits.least", least=language.number(least))
    return language("limits.most", most=language.number(most)) if most is not None else ""


def _number(text: str) -> float:
    try:
        return _whole(float(text))
    except ValueError:
        return math.nan


def _limit(number: float | None) -> float | None:
    return None if number is None else _whole(number)


def _whole(number: float) -> float:
    """Whole numbers without a point."""
    return int(number) if math.isfinite(number) and number == int(number) else number
