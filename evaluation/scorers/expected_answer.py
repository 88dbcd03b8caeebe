"""What was expected of an answer, as judges read it."""

from collections.abc import Mapping
from typing import Any

from hansei.evaluation.errors import InvalidEvaluation, NotApplicable
from hansei.evaluation.judges.rendering import indented
from hansei.evaluation.scorers.text_of import text_of


def expected_answer(scorer: str, expectations: Mapping[str, Any] | None) -> dict[str, str]:
    """``expected_facts`` or ``expected_response``, by the name of what is there. Raises ``NotApplicable``."""
    given = expectations or {}
    facts = given.get("expected_facts")
    if facts:
        listed = [facts] if isinstance(facts, str) else list(facts)
        return {"expected_facts": "\n".join(f"- {indented(text_of(each))}" for each in listed)}
    response = given.get("expected_response")
    if response is not None and text_of(response).strip():
        return {"expected_response": text_of(response)}
    raise NotApplicable(
        f"{scorer} needs the expectation expected_response or expected_facts, and there is neither; record one"
    )


def given_guidelines(guidelines: Any) -> str:
    """Guidelines that a judge is made with, a line each. Raises ``InvalidEvaluation`` where there are none."""
    text = guidelines_text(guidelines)
    if not text:
        raise InvalidEvaluation("guidelines: there are none; give a text, a list of texts, or a dict by name")
    return text


def guidelines_text(guidelines: Any) -> str:
    """Guidelines, a line each; empty where there are none."""
    if isinstance(guidelines, Mapping):
        lines = [f"{name}: {text}" for name, text in guidelines.items()]
    elif isinstance(guidelines, str):
        lines = [guidelines]
    else:
        lines = [str(each) for each in guidelines or ()]
    return "\n".join(f"- {indented(line)}" for line in lines if line.strip())
