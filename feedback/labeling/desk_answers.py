"""Answers as a reviewer gives them, checked against the questions of a session."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from hansei.feedback.labeling.assignment import Answers
from hansei.feedback.labeling.desk_errors import InvalidAnswers
from hansei.feedback.labeling.errors import InvalidLabel
from hansei.feedback.labeling.inputs import LONGEST_TEXT, InputText, InputTextList, input_of
from hansei.feedback.labeling.model import LabelSchemaVersion
from hansei.feedback.labeling.texts import brief, storable

REQUIRED: Final = ("categorical", "numeric", "pass_fail")
"""The types of input that must be answered; of texts and of several options there may be none."""
LARGEST_DRAFT: Final = 1_000_000
"""Bytes of all answers of an item."""

Kept = dict[str, dict[str, Any]]
"""Answers as they are stored: a value for each question that has one, and the comment where there is one."""


class Questions:
    """The questions of a session."""

    def __init__(self, schemas: Sequence[LabelSchemaVersion], redact: Callable[[str], str] = str) -> None:
        """``redact``: replaces what may not be written, in texts that a reviewer typed."""
        self.schemas = tuple(schemas)
        self.by_name = {schema.name: schema for schema in schemas}
        self._inputs = {schema.name: input_of(schema.input) for schema in schemas}
        self._redact = redact

    def draft(self, answers: Answers) -> Kept:
        """What is kept of a draft: anything, where it is JSON and of a size. Raises :class:`InvalidAnswers`."""
        kept = {}
        for name, value, comment in self._given(answers):
            found = {
                "value": self._redacted(name, value),
                "comment": self._redact(comment) if isinstance(comment, str) else comment,
            }
            kept[name] = {key: part for key, part in found.items() if not _is_nothing(part)}
        kept = {name: said for name, said in kept.items() if said}
        try:
            size = len(json.dumps(kept, ensure_ascii=False, allow_nan=False).encode())
        except (TypeError, ValueError):
            raise InvalidAnswers(dict.fromkeys(kept, "this cannot be stored; answer again")) from None
        if size > LARGEST_DRAFT:
            raise InvalidAnswers(dict.fromkeys(kept, f"all answers together have more than {LARGEST_DRAFT} bytes"))
        return kept

    def complete(self, answers: Answers) -> Kept:
        """The answers as they are recorded. Raises :class:`InvalidAnswers`."""
        kept: Kept = {}
        problems: dict[str, str] = {}
        for name, value, comment in self._given(answers):
            try:
                said = self._checked(name, value, comment)
            except InvalidLabel as error:
                problems[name] = str(error)
            else:
                if said:
                    kept[name] = said
        for schema in self.schemas:
            if schema.input["type"] in REQUIRED and schema.name not in kept:
                problems.setdefault(schema.name, "there is no answer; give one, or skip the item")
        if problems:
            raise InvalidAnswers(problems)
        if not kept:
            nothing = "there is no answer at all; give one, or skip the item"
            raise InvalidAnswers(dict.fromkeys(self.by_name, nothing))
        return {schema.name: kept[schema.name] for schema in self.schemas if schema.name in kept}

    def _given(self, answers: Answers) -> list[tuple[str, Any, Any]]:
        problems = {}
        for name, said in answers.items():
            if name not in self.by_name:
                problems[str(name)[:80]] = "the session has no such question; load the page again"
            elif not isinstance(said, Mapping) or not set(said) <= {"value", "comment"}:
                problems[name] = 'an answer is {"value": …, "comment": "…"}'
        if problems:
            raise InvalidAnswers(problems)
        return [(name, said.get("value"), said.get("comment")) for name, said in answers.items()]

    def _checked(self, name: str, value: Any, comment: Any) -> dict[str, Any]:
        """The value, and a comment where there is one; nothing where nothing is said."""
        if _is_nothing(comment):
            comment = None
        elif not self.by_name[name].enable_comment:
            raise InvalidLabel("this question takes no comment; leave it out")
        elif not isinstance(comment, str) or not storable(comment):
            raise InvalidLabel(f"the comment {brief(comment)} is not a text that can be stored")
        elif len(comment) > LONGEST_TEXT:
            raise InvalidLabel(f"the comment has {len(comment)} characters; write at most {LONGEST_TEXT}")
        if _is_nothing(value):
            if comment is None:
                return {}
            raise InvalidLabel("there is a comment without an answer; answer, or take the comment away")
        said = {"value": self._redacted(name, self._inputs[name].check(value))}
        return said if comment is None else said | {"comment": self._redact(comment)}

    def _redacted(self, name: str, value: Any) -> Any:
        if not isinstance(self._inputs[name], InputText | InputTextList):
            return value
        if isinstance(value, list):
            return [self._redact(each) if isinstance(each, str) else each for each in value]
        return self._redact(value) if isinstance(value, str) else value


def _is_nothing(said: Any) -> bool:
    return said is None or (isinstance(said, str) and not said.strip()) or (isinstance(said, list) and not said)
