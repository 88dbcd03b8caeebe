"""Charts, as their tables hold them: ``charts.js`` draws what it reads there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hansei.feedback.pages.formats import NOTHING, count, duration, usd

MOST_SERIES: Final = 7
"""So many colours can be told apart."""


@dataclass(frozen=True, slots=True)
class Series:
    """A line, or a layer of bars: a value for each bucket, None where there is none."""

    name: str
    values: Sequence[float | None]
    query: Mapping[str, str] = field(default_factory=dict)
    """What narrows the traces to those behind the series."""
    colour: str = ""
    """A name among the colours of ``app.css``; else the next of ``overview.css``."""

    @property
    def packed(self) -> str:
        """The values as a script reads them: six digits, nothing where there is none."""
        return ",".join("" if value is None else f"{value:.6g}" for value in self.values)


@dataclass(frozen=True, slots=True)
class Chart:
    """Series over the buckets of a period."""

    key: str
    title: str
    about: str
    """What is counted, in a sentence."""
    kind: str
    """``bars`` that overlay each other, ``stack`` of them, or ``lines``."""
    unit: str
    """``count``, ``duration`` (nanoseconds), ``percent`` (a share) or ``usd``."""
    series: Sequence[Series]
    summary: str
    """What the chart shows, in a sentence of numbers."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(value for series in self.series for value in series.values)


def percent(share: float | None) -> str:
    """``12 %``, ``0.4 %``."""
    if share is None:
        return NOTHING
    return f"{share * 100:.0f} %" if share in (0, 1) or share >= 0.1 else f"{share * 100:.1f} %"


def shown(value: float | None, unit: str) -> str:
    """A value with the unit of its chart."""
    return _UNITS[unit](value)


_UNITS: Final[Mapping[str, Callable[[float | None], str]]] = {
    "count": count,
    "duration": duration,
    "percent": percent,
    "usd": usd,
}


def ratio(part: float, whole: float) -> float | None:
    """A share; None of nothing."""
    return part / whole if whole else None
