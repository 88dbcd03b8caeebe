"""The numbers at the top of the overview, and how they have changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hansei.feedback.pages.charts import percent, ratio
from hansei.feedback.pages.formats import count, duration, usd
from hansei.feedback.pages.overview_feedback import BEFORE
from hansei.feedback.pages.overview_usage import Usage

Row = Mapping[str, Any]

WHOLE: Final = 1
"""The bucket that stands for all of the period."""


@dataclass(frozen=True, slots=True)
class Change:
    """By how much a number has changed."""

    text: str
    tone: str
    """``better`` or ``worse``; nothing where one cannot say."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A number."""

    label: str
    value: str
    detail: str = ""
    change: Change | None = None
    """Against the period before; None where it cannot be said."""
    query: Mapping[str, str] | None = None
    """What finds the traces behind it."""


def tiles(traces: Sequence[Row], calls: Usage, latency: Sequence[Row], feedback: Sequence[Row]) -> list[Tile]:
    """All of them."""
    began, failed = within(traces, "Traces"), within(traces, "Errors")
    error_rates = ratio(failed[0], began[0]), ratio(failed[1], began[1])
    failed_calls, unpriced = calls.sums("Errors")[0], calls.sums("UnpricedCalls")[0]
    read, written = calls.sums("InputTokens")[0], calls.sums("OutputTokens")[0]
    people = [row for row in feedback if row["SourceType"] == "HUMAN"]
    rated, negative = within(people, "Rated"), within(people, "Negative")
    rates = ratio(negative[0], rated[0]), ratio(negative[1], rated[1])
    quantiles: dict[int, Row] = {row["Bucket"]: row for row in latency}
    return [
        Tile("Traces", count(began[0]), "with a root", _grown(*began), query={}),
        Tile(
            "Errors",
            count(failed[0]),
            f"{percent(error_rates[0])} of traces" if began[0] else "",
            _moved(*error_rates),
            query={"status": "error"},
        ),
        Tile(
            "Model calls",
            count(calls.sums("Calls")[0]),
            f"{count(failed_calls)} failed" if failed_calls else "",
            _grown(*calls.sums("Calls")),
        ),
        Tile(
            "Tokens",
            count(read + written),
            f"{count(read)} in, {count(written)} out",
            _grown(*calls.sums("InputTokens", "OutputTokens")),
        ),
        Tile(
            "Cost",
            usd(calls.cost()[0]),
            f"{count(unpriced)} calls without a price" if unpriced else "",
            _grown(*calls.cost(), less_is_better=True),
        ),
        *(_latency(name, quantiles.get(WHOLE, {}).get(name), quantiles.get(BEFORE, {}).get(name))
          for name in ("P50", "P95")),
        Tile(
            "Negative feedback",
            percent(rates[0]),
            f"{count(negative[0])} of {count(rated[0])} by people" if rated[0] else "nothing said by people",
            _moved(*rates),
        ),
    ]  # fmt: skip


def within(rows: Sequence[Row], column: str) -> tuple[int, int]:
    """The sum of a column in the period, and in the one before."""
    now = sum(row[column] for row in rows if row["Bucket"] != BEFORE)
    return now, sum(row[column] for row in rows if row["Bucket"] == BEFORE)


def _latency(name: str, now: float | None, before: float | None) -> Tile:
    return Tile(f"Latency {name.lower()}", duration(now), "of model calls", _grown(now, before, less_is_better=True))


def _grown(now: float | None, before: float | None, *, less_is_better: bool = False) -> Change | None:
    """How a number changed, in percent of what it was."""
    if now is None or not before:
        return None
    by = (now - before) / before
    return Change(_signed(f"{by * 100:+,.0f} %"), _tone(by, 0.005) if less_is_better else "")


def _moved(now: float | None, before: float | None) -> Change | None:
    """How a share changed, in percentage points; less of it is better."""
    if now is None or before is None:
        return None
    return Change(_signed(f"{(now - before) * 100:+.1f} points"), _tone(now - before, 0.0005))


def _tone(by: float, least: float) -> str:
    return "" if abs(by) < least else "better" if by < 0 else "worse"


def _signed(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")
