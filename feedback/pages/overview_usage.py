"""What model calls used in a time: tokens and money, by bucket and by model, service and user."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hansei.feedback.pages.charts import MOST_SERIES, Chart, Series
from hansei.feedback.pages.formats import count, usd
from hansei.feedback.pages.overview_feedback import BEFORE
from hansei.feedback.pages.period import Period

Row = Mapping[str, Any]

_OTHERS: Final = "others"


@dataclass(frozen=True, slots=True)
class Spending:
    """A model, a service or a user, and what they used."""

    name: str
    calls: int
    tokens: int
    cost_usd: float | None
    unpriced: int = 0
    """Calls whose cost is not known."""
    query: Mapping[str, str] = field(default_factory=dict)
    """What finds its traces."""


def spending(row: Row, column: str, parameter: str) -> Spending:
    """Of a row that names a service or a user in a column."""
    name = row[column]
    query = {parameter: name} if name else {}
    return Spending(name, row["Calls"], row["Tokens"], row["CostUsd"], row.get("UnpricedCalls", 0), query)


class Usage:
    """The rows of ``usage_over_time``."""

    def __init__(self, rows: Sequence[Row], period: Period) -> None:
        self._rows = [row for row in rows if row["Bucket"] != BEFORE]
        self._before = [row for row in rows if row["Bucket"] == BEFORE]
        self._buckets = period.buckets

    def sums(self, *columns: str) -> tuple[int, int]:
        """Of some columns together, in the period and in the one before."""
        now, before = (sum(row[column] for row in rows for column in columns) for rows in (self._rows, self._before))
        return now, before

    def cost(self) -> tuple[float | None, float | None]:
        """The same of the cost: None where none is known."""
        return _sum_known(self._rows), _sum_known(self._before)

    def tokens_chart(self) -> Chart:
        """Input and output."""
        read, written = self.sums("InputTokens")[0], self.sums("OutputTokens")[0]
        return Chart(
            key="tokens",
            title="Tokens",
            about="Tokens of model calls.",
            kind="stack",
            unit="count",
            series=[
                Series("input", self._over_time("InputTokens", self._rows)),
                Series("output", self._over_time("OutputTokens", self._rows)),
            ],
            summary=f"{count(read)} tokens in, {count(written)} out.",
        )

    def cost_chart(self) -> Chart:
        """By model, those that cost most by themselves."""
        priced = [model for model in self.models() if model.cost_usd]
        apart = priced if len(priced) <= MOST_SERIES else priced[: MOST_SERIES - 1]
        series = [Series(model.name, self._costs({model.name}), model.query) for model in apart]
        rest = {model.name for model in priced[len(apart) :]}
        if rest:
            series.append(Series(_OTHERS, self._costs(rest), colour="muted"))
        total = self.cost()[0]
        dearest = f"; most for {priced[0].name}, {usd(priced[0].cost_usd)}" if priced else ""
        return Chart(
            key="cost",
            title="Cost",
            about="US dollars by model; calls without a known price are left out.",
            kind="stack",
            unit="usd",
            series=series,
            summary=f"{usd(total)} in all{dearest}." if total is not None else "No cost is known.",
        )

    def models(self) -> list[Spending]:
        """The dearest first."""
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self._rows:
            found[row["Model"]].append(row)
        made = [
            Spending(
                name=name,
                calls=sum(row["Calls"] for row in rows),
                tokens=sum(row["InputTokens"] + row["OutputTokens"] for row in rows),
                cost_usd=_sum_known(rows),
                unpriced=sum(row["UnpricedCalls"] for row in rows),
                query={"model": name} if name else {},
            )
            for name, rows in found.items()
        ]
        return sorted(made, key=lambda one: (-(one.cost_usd or 0), one.cost_usd is None, -one.calls, one.name))

    def _over_time(self, column: str, rows: Sequence[Row]) -> list[float | None]:
        sums: dict[int, float] = defaultdict(float)
        for row in rows:
            sums[row["Bucket"]] += row[column]
        return [sums.get(bucket) for bucket in self._buckets]

    def _costs(self, models: set[str]) -> list[float | None]:
        rows = [row for row in self._rows if row["Model"] in models and row["CostUsd"] is not None]
        return self._over_time("CostUsd", rows)


def _sum_known(rows: Sequence[Row]) -> float | None:
    known = [row["CostUsd"] for row in rows if row["CostUsd"] is not None]
    return sum(known) if known else None
