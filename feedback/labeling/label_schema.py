"""Label schemas for Python: the questions that experts answer, with MLflow's names."""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from hansei.feedback.labeling.client import LabelingClient
from hansei.feedback.labeling.errors import InvalidLabeling
from hansei.feedback.labeling.inputs import CLASS_NAMES, INPUTS, Input, input_of
from hansei.feedback.labeling.texts import brief

__all__ = [
    "LabelSchema",
    "LabelSchemaType",
    "create_label_schema",
    "delete_label_schema",
    "get_label_schema",
    "list_label_schemas",
]


class LabelSchemaType:
    """What a label is: feedback on what happened, or the expectation of what should have."""

    FEEDBACK: Final = "feedback"
    EXPECTATION: Final = "expectation"


@dataclass(frozen=True, slots=True)
class LabelSchema:
    """A question, in one of its versions."""

    name: str
    """Of the assessments that labels are."""
    type: str
    """One of :class:`LabelSchemaType`."""
    title: str
    """The question, as reviewers read it."""
    input: Input
    instruction: str | None = None
    """What reviewers may unfold beside the question."""
    enable_comment: bool = False
    """Whether reviewers may add a comment; it becomes the rationale."""
    version: int = 1


def create_label_schema(
    name: str,
    *,
    type: str,  # noqa: A002  MLflow's name
    input: Input,  # noqa: A002  MLflow's name
    title: str,
    instruction: str | None = None,
    enable_comment: bool = False,
    overwrite: bool = False,
) -> LabelSchema:
    """Make a label schema: a question that experts answer.

    ``type`` is ``"feedback"`` or ``"expectation"``, ``input`` one of the ``Input…`` classes. With ``overwrite`` a label
    schema of that name gets a new version where anything differs; sessions that ask it keep the version that they have.
    Its type and input stay as they are once a label answers it. Raises ``HanseiError``: what is wrong, and what to do.
    """
    if not isinstance(input, tuple(INPUTS.values())):
        raise InvalidLabeling(f"input: {brief(input)} is not one of {', '.join(CLASS_NAMES)}")
    body = {
        "name": name,
        "type": type,
        "input": input.to_json(),
        "title": title,
        "instruction": instruction,
        "enable_comment": enable_comment,
        "overwrite": overwrite,
    }
    return schema_of(LabelingClient().ask("POST", "label-schemas", body=body))


def get_label_schema(name: str) -> LabelSchema:
    """The latest version of a label schema. Raises ``HanseiError``, also where there is none."""
    return schema_of(LabelingClient().ask("GET", "label-schemas", _name(name)))


def list_label_schemas() -> list[LabelSchema]:
    """The latest version of every label schema, by name. Raises ``HanseiError``."""
    return [schema_of(each) for each in LabelingClient().ask("GET", "label-schemas")["items"]]


def delete_label_schema(name: str) -> None:
    """Take a label schema away; sessions that ask it go on, and labels stay. Raises ``HanseiError``."""
    LabelingClient().ask("DELETE", "label-schemas", _name(name))


def schema_of(given: dict[str, Any]) -> LabelSchema:
    """A label schema of its JSON."""
    return LabelSchema(**{**given, "input": input_of(given["input"])})


def _name(name: object) -> str:
    if not isinstance(name, str) or not quote(name, errors="replace"):
        raise InvalidLabeling(f"name: {brief(name)} is not the name of a label schema")
    return name
