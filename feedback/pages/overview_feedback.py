"""What was said in a time: under which names, by whom, and how much of it was negative."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hansei.feedback.pages.charts import MOST_SERIES, Chart, Series, percent, ratio
from hansei.feedback.pages.period import Period

Row = Mapping[str, Any]

BEFORE: Final = 0
"""The bucket that stands for the period before."""
_SOURCES: Final = {"HUMAN": "human", "LLM_JUDGE": "judge", "CODE": "code"}


@dataclass(frozen=True, slots=True)
class Rating:
    """What was said under a name by a kind of source."""

    name: str
    source: str
    given: int
    negative: int
    mean: float | None
    """Of the values that are numbers, yes being 1 and no 0."""
    negative_share: float | None
    """Of the same, those that are false, zero or less."""

    @property
    def query(self) -> dict[str, str]:
        """What finds the traces of which something negative was said."""
        return {"feedback": f"{self.name}:false"}


def ratings(rows: Sequence[Row]) -> list[Rating]:
    """What was said most often first."""
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row["Bucket"] != BEFORE:
            found[row["Name"], row["SourceType"]].append(row)
    made = []
    for (name, source), parts in found.items():
        given, rated, negative, total = (
            sum(row[of] for row in parts) for of in ("Given", "Rated", "Negative", "Total")
        )
        mean, share = ratio(total, rated), ratio(negative, rated)
        made.append(Rating(name, _SOURCES.get(source, source), given, negative, mean, share))
    return sorted(made, key=lambda one: (-one.given, one.name, one.source))


def feedback_chart(rows: Sequence[Row], said: Sequence[Rating], period: Period) -> Chart:
    """The share of what is negative, of the names that were used most."""
    drawn = [rating for rating in said if rating.negative_share is not None][:MOST_SERIES]
    at = {(row["Bucket"], row["Name"], _SOURCES.get(row["SourceType"], row["SourceType"])): row for row in rows}

    def share(bucket: int, rating: Rating) -> float | None:
        row = at.get((bucket, rating.name, rating.source))
        return ratio(row["Negative"], row["Rated"]) if row else None

    series = [
        Series(f"{rating.name} ({rating.source})", [share(bucket, rating) for bucket in period.buckets], rating.query)
        for rating in drawn
    ]
    shares = ", ".join(f"{one.name} ({one.source}) {percent(one.negative_share)}" for one in drawn[:3])
    return Chart(
        key="feedback",
        title="Negative feedback",
        about="The share of feedback that is false, zero or less, by name and source.",
        kind="lines",
        unit="percent",
        series=series,
        summary=f"{shares}." if shares else "Nothing was said that can be counted.",
    )
