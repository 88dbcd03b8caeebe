"""The scorers that a configuration names."""

from hansei.evaluation.batch.config import BatchConfig, NamedScorer
from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.judges.judge import Judge
from hansei.evaluation.scorer import Scorer


def chosen_scorers(config: BatchConfig) -> list[Scorer]:
    """Each of its own name, and all for the kind of the subjects. Raises ``InvalidEvaluation``."""
    scorers = [
        _made(f"scorers[{place}]", each, config) if isinstance(each, NamedScorer) else each
        for place, each in enumerate(config.scorers)
    ]
    sessions = config.subjects.kind == "sessions"
    for place, each in enumerate(scorers):
        if each.name in [other.name for other in scorers[:place]]:
            raise InvalidEvaluation(
                f"scorers[{place}]: {each.name!r} is there twice; give one of them another name in its arguments"
            )
        if each.is_session_level_scorer != sessions:
            fitting = "sessions" if each.is_session_level_scorer else "traces"
            raise InvalidEvaluation(
                f"scorers[{place}]: {each.name!r} scores {fitting}, and subjects.kind is {config.subjects.kind}; "
                f"put it into a batch whose kind is {fitting}"
            )
    return scorers


def _made(place: str, named: NamedScorer, config: BatchConfig) -> Scorer:
    from hansei.evaluation.scorers.registry import scorer_named

    try:
        made = scorer_named(named.name, **named.arguments)
        model = config.judge.get("model")
        if model and isinstance(made, Judge) and "model" not in named.arguments:
            made = scorer_named(named.name, **{**named.arguments, "model": model})
    except InvalidEvaluation as error:
        raise InvalidEvaluation(f"{place}: {str(error).removeprefix('scorer: ')}") from None
    except TypeError as error:
        raise InvalidEvaluation(f"{place}: {named.name} does not take these arguments: {error}") from None
    return made
