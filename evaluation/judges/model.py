"""Which model judges."""

import os
from typing import Final

from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.judges.question import JudgeModel

DEFAULT_MODEL: Final = "openai:/gpt-4.1-mini"
MODEL_VARIABLE: Final = "HANSEI_JUDGE_MODEL"
_PROVIDERS: Final = ("openai",)


def model_of(given: str | JudgeModel | None) -> JudgeModel:
    """From MLflow's ``openai:/name``, a bare name, or None for that of ``HANSEI_JUDGE_MODEL``.

    Raises ``InvalidEvaluation``.
    """
    if isinstance(given, JudgeModel):
        return given
    text = os.environ.get(MODEL_VARIABLE) or DEFAULT_MODEL if given is None else given
    provider, separator, name = text.partition(":/")
    if not separator:
        provider, name = "openai", text
    if provider not in _PROVIDERS or not name.strip("/"):
        raise InvalidEvaluation(
            f"model: {text!r} is not a model; write openai:/NAME, or a bare NAME, of any OpenAI-compatible API "
            "(OPENAI_BASE_URL says which)"
        )
    return JudgeModel(name.strip("/"))
