"""All judges that can be made without being told anything."""

import inspect

from hansei.evaluation.judges.question import JudgeModel
from hansei.evaluation.scorer import Scorer
from hansei.evaluation.scorers.prompt_judge import PromptJudge
from hansei.evaluation.scorers.registry import built_in_scorers


def get_all_scorers(model: str | JudgeModel | None = None) -> list[Scorer]:
    """MLflow's: a judge of each kind that needs no arguments, with the same model; those for guidelines are left out.

    A scorer to which something is missing in the data skips the row and says so. Raises ``InvalidEvaluation``.
    """
    return [
        made(model=model)
        for made in built_in_scorers().values()
        if issubclass(made, PromptJudge) and "guidelines" not in inspect.signature(made).parameters
    ]
