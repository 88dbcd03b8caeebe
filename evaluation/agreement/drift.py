"""Whether a judge's agreement with people changes: over time, and from version to version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

from hansei.evaluation.agreement.measures import answers_of, kappa_of, share_that_agrees
from hansei.evaluation.agreement.pairs import Pair
from hansei.evaluation.agreement.scale import Scale
from hansei.feedback.labeling.resampling import Coefficient

DAY: Final = "day"
WEEK: Final = "week"
PERIODS: Final = (DAY, WEEK)
MOST_DAYS: Final = 28
"""With more of them between the first and the last judgement, periods are weeks."""
MOST_PERIODS: Final = 104
"""The last ones are told."""


@dataclass(frozen=True, slots=True)
class PeriodAgreement:
    """Agreement in what a judge said in a day or a week, of UTC."""

    start_ms: int
    label: str
    """The first day, such as ``2026-11-23``."""
    pairs: int
    agreement: Coefficient
    kappa: Coefficient


@dataclass(frozen=True, slots=True)
class VersionAgreement:
    """Agreement of a version of a judge."""

    version: str
    source_ids: Sequence[str]
    """Its models."""
    first_ms: int
    last_ms: int
    pairs: int
    agreement: Coefficient
    kappa: Coefficient


def period_for(pairs: Sequence[Pair]) -> str:
    """Days, or weeks where there would be many."""
    times = [pair.judge.time_ms for pair in pairs]
    return WEEK if times and max(times) - min(times) > MOST_DAYS * 86_400_000 else DAY


def by_period(pairs: Sequence[Pair], scale: Scale, period: str) -> list[PeriodAgreement]:
    """Agreement in each period in which there is something, the oldest first."""
    of_period: dict[datetime, list[Pair]] = {}
    for pair in pairs:
        of_period.setdefault(_start(pair.judge.time_ms, period), []).append(pair)
    return [
        PeriodAgreement(
            int(start.timestamp() * 1000),
            start.strftime("%Y-%m-%d"),
            len(found),
            share_that_agrees(found, scale),
            kappa_of(answers_of(found, scale), scale),
        )
        for start, found in sorted(of_period.items())[-MOST_PERIODS:]
    ]


def by_version(pairs: Mapping[str, Sequence[Pair]], scale: Scale) -> list[VersionAgreement]:
    """Agreement of each version, the one that came first first."""
    return [
        VersionAgreement(
            version,
            sorted({pair.judge.source_id for pair in found}),
            min(pair.judge.time_ms for pair in found),
            max(pair.judge.time_ms for pair in found),
            len(found),
            share_that_agrees(found, scale),
            kappa_of(answers_of(found, scale), scale),
        )
        for version, found in pairs.items()
    ]


def _start(time_ms: int, period: str) -> datetime:
    day = datetime.fromtimestamp(time_ms / 1000, timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday()) if period == WEEK else day
