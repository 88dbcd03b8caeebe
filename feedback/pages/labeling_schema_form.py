"""The form of a question: as it was filled in, and the label schema that it makes."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from hansei.feedback.labeling.errors import InvalidLabeling
from hansei.feedback.labeling.inputs import (
    INPUTS,
    Input,
    InputCategorical,
    InputCategoricalList,
    InputNumeric,
    InputPassFail,
    InputText,
    InputTextList,
)
from hansei.feedback.labeling.model import FEEDBACK, LabelSchemaVersion

if TYPE_CHECKING:
    from starlette.datastructures import FormData

INPUT_NAMES: Final = {
    InputPassFail.TYPE: ("Pass or fail", "Two buttons"),
    InputCategorical.TYPE: ("One of a list", "The reviewer chooses one option"),
    InputCategoricalList.TYPE: ("Several of a list", "The reviewer chooses one option or more"),
    InputNumeric.TYPE: ("A number", "Within limits, if you like"),
    InputText.TYPE: ("Text", "In the reviewer's own words"),
    InputTextList.TYPE: ("A list of texts", "Such as the facts an answer must have"),
}
"""What each type of input is called, and what it is like."""


@dataclass(frozen=True, slots=True)
class SchemaForm:
    """What was filled in, as it was."""

    name: str = ""
    title: str = ""
    type: str = FEEDBACK
    input: str = InputPassFail.TYPE
    instruction: str = ""
    enable_comment: str = ""
    positive_label: str = "Pass"
    negative_label: str = "Fail"
    options: str = ""
    """One a line."""
    min_value: str = ""
    max_value: str = ""
    max_length: str = ""
    max_length_each: str = ""
    max_count: str = ""

    @classmethod
    def of(cls, given: "FormData | Mapping[str, str]") -> "SchemaForm":
        """From what a browser sends, which ends lines with CR LF."""
        found = {field.name: given.get(field.name) for field in fields(cls)}
        return cls(**{name: text.replace("\r\n", "\n") for name, text in found.items() if isinstance(text, str)})

    @classmethod
    def of_schema(cls, schema: LabelSchemaVersion) -> "SchemaForm":
        """The form that would have made a schema."""
        limits = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in schema.input.items()
            if name not in ("type", "options") and value is not None
        }
        return cls(
            name=schema.name,
            title=schema.title,
            type=schema.type,
            input=schema.input["type"],
            instruction=schema.instruction or "",
            enable_comment="yes" if schema.enable_comment else "",
            options="\n".join(schema.input.get("options", ())),
            **limits,
        )

    def made_input(self) -> Input:
        """The input, with its limits. Raises :class:`InvalidLabeling`."""
        if self.input in (InputCategorical.TYPE, InputCategoricalList.TYPE):
            options = tuple(line.strip() for line in self.options.split("\n") if line.strip())
            return (InputCategorical if self.input == InputCategorical.TYPE else InputCategoricalList)(options)
        if self.input == InputPassFail.TYPE:
            return InputPassFail(self.positive_label.strip(), self.negative_label.strip())
        if self.input == InputNumeric.TYPE:
            return InputNumeric(self._number("min_value", _number), self._number("max_value", _number))
        if self.input == InputText.TYPE:
            return InputText(self._number("max_length", int))
        if self.input == InputTextList.TYPE:
            return InputTextList(self._number("max_length_each", int), self._number("max_count", int))
        raise InvalidLabeling(f"input: {self.input!r} is not one of {', '.join(INPUTS)}")

    def _number(self, field: str, read: Callable[[str], Any]) -> Any:
        text = getattr(self, field).strip()
        if not text:
            return None
        try:
            return read(text)
        except ValueError:
            example = "a whole number, such as 200" if read is int else "a number, such as 1 or 0.5"
            raise InvalidLabeling(f"{field}: {text[:40]!r} is not {example}") from None

    def preview(self) -> LabelSchemaVersion:
        """The question as far as it is filled in; what is wrong is left out, and is told when it is saved."""
        try:
            made: Mapping[str, Any] = self.made_input().to_json()
        except InvalidLabeling:
            options = [line.strip() for line in self.options.split("\n") if line.strip()]
            labels = {"positive_label": self.positive_label, "negative_label": self.negative_label}
            limits = dict.fromkeys(("min_value", "max_value", "max_length", "max_length_each", "max_count"))
            made = {
                "type": self.input if self.input in INPUTS else InputText.TYPE,
                "options": options,
                **labels,
                **limits,
            }
        return LabelSchemaVersion(
            self.name.strip(), 0, self.type, made, self.title.strip(), self.instruction.strip() or None,
            bool(self.enable_comment),
        )  # fmt: skip


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        value = float(text)
        if not math.isfinite(value):
            raise ValueError(text) from None
        return value
