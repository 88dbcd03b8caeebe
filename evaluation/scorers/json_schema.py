"""Whether the answer is data of a given form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from hansei.evaluation.scorers.arguments import wrong
from hansei.evaluation.scorers.code_scorer import CodeScorer, answer_text, missing
from hansei.evaluation.scorers.json_of import NotJson, json_of
from hansei.feedback.assessment import Feedback

_TOLD: Final = 3
"""Violations that a rationale names."""
_LONGEST: Final = 200
"""Characters of one of them."""


@dataclass(eq=False, kw_only=True)
class JsonSchema(CodeScorer):
    """Whether the answer is JSON of a JSON schema; ``$schema`` says of which draft, 2020-12 if it does not.

    References lead to places in the schema itself; nothing is fetched. Raises ``InvalidEvaluation``;
    ``EvaluationError`` where jsonschema is not installed.
    """

    schema: Mapping[str, Any] = field(repr=False)
    name: str = "json_schema"
    allow_fence: bool = False
    """Whether the JSON may stand in one block of code of Markdown."""

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            from jsonschema import SchemaError
            from jsonschema.validators import validator_for
            from referencing.jsonschema import EMPTY_REGISTRY
        except ImportError:
            raise missing("JsonSchema", "jsonschema", "evaluation") from None
        schema = dict(self.schema)
        kind = validator_for(schema)
        try:
            kind.check_schema(schema)
        except SchemaError as error:
            raise wrong(self, "schema", f"is not a JSON schema: {error.json_path}: {error.message}") from None
        # Without a registry of its own it would fetch what a reference names.
        self._validator = kind(schema, registry=EMPTY_REGISTRY)

    def __call__(self, *, outputs: Any = None) -> Feedback:
        """True or False. Raises ``NotApplicable``; what ``jsonschema`` raises for a reference that leads nowhere."""
        answer_text(outputs)
        try:
            found = json_of(outputs, fenced=self.allow_fence)
        except NotJson as error:
            return self.said(False, f"no JSON: {error}")
        errors = list(islice(self._validator.iter_errors(found), _TOLD + 1))
        if not errors:
            return self.said(True, "as the schema says")
        told = [f"{error.json_path}: {error.message[:_LONGEST]}" for error in errors[:_TOLD]]
        return self.said(False, "; ".join(told) + ("; …" if len(errors) > _TOLD else ""))
