"""What a model is asked, and what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Message = Mapping[str, Any]
"""A message as the OpenAI API takes it: ``{"role": …, "content": …}``."""


@dataclass(frozen=True, slots=True)
class JudgeModel:
    """A model that judges, and how it is asked."""

    name: str
    """As the provider calls it: ``gpt-4.1-mini``."""
    base_url: str | None = None
    """Of an OpenAI-compatible API; None: what the OpenAI client takes from its environment."""
    api_key: str | None = field(default=None, repr=False)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Of the request: temperature, seed, max_completion_tokens, reasoning_effort …"""


@dataclass(frozen=True, slots=True)
class Question:
    """One request to a model."""

    model: JudgeModel
    messages: Sequence[Message]
    value: Mapping[str, Any]
    """The JSON schema of the value; the model gives its rationale first, then the value."""
    scorer: str
    scorer_version: str
    subject_id: str = ""
    """The trace or the conversation that it is about."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a model answered."""

    value: Any
    rationale: str
    model: str
    """That answered, as the answer tells."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    """None where no price is known."""
    cached: bool = False
    """Whether it was remembered, and nothing was asked."""


class Asker(Protocol):
    """Asks models, within limits and a budget."""

    async def ask(self, question: Question) -> Verdict:
        """Raises :class:`~hansei.evaluation.errors.JudgeError` where no answer can be used, and
        :class:`~hansei.evaluation.errors.BudgetSpent`."""
