"""What can be wrong with an evaluation, said in one line."""

from hansei.collector.errors import HanseiError


class EvaluationError(HanseiError):
    """Something about an evaluation cannot be done; after no answer from the server it may be done or not."""


class InvalidEvaluation(EvaluationError, ValueError):
    """An argument cannot be used; the text names it, its value and what would be allowed."""


class EvaluationConflict(EvaluationError):
    """What is there already forbids it."""


class UnknownEvaluation(EvaluationError, LookupError):
    """There is no such run, dataset, version or schedule."""


class JudgeError(EvaluationError):
    """A model that was asked for a judgement gave none that can be used."""


class BudgetSpent(EvaluationError):
    """What may be spent on judging is spent; nothing more is asked."""


class NotApplicable(EvaluationError):
    """A scorer has nothing to say of a subject; the text says why. It is counted as skipped, not as failed."""
