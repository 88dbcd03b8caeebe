"""Times at which a batch runs."""

from datetime import datetime, timezone

from hansei.evaluation.errors import EvaluationError, InvalidEvaluation


def check_cron(name: str, text: str) -> None:
    """Raises ``InvalidEvaluation`` for what is no schedule."""
    next_tick(text, 0, name)


def next_tick(text: str, after_ms: int, name: str = "schedule") -> int:
    """The next time after a moment, both in milliseconds since 1970; the fields are in UTC.

    Raises ``InvalidEvaluation``.
    """
    try:
        from cronsim import CronSim, CronSimError
    except ImportError as error:
        raise EvaluationError("a schedule needs cronsim: pip install 'hansei[evaluation]'") from error
    try:
        found = next(CronSim(text, datetime.fromtimestamp(after_ms / 1000, timezone.utc)))
    except (CronSimError, StopIteration):
        raise InvalidEvaluation(
            f"{name}: {text!r} is not a schedule; write cron's five fields, such as '30 2 * * *' for 02:30 UTC"
        ) from None
    return int(found.timestamp() * 1000)
