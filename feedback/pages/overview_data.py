"""What the overview shows, read side by side."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hansei.feedback.pages.charts import Chart, Series
from hansei.feedback.pages.formats import count, duration, usd
from hansei.feedback.pages.named_sql import named_sql
from hansei.feedback.pages.overview_feedback import BEFORE, Rating, feedback_chart, ratings
from hansei.feedback.pages.overview_tiles import WHOLE, Tile, tiles, within
from hansei.feedback.pages.overview_usage import Spending, Usage, spending
from hansei.feedback.pages.period import Period

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Overview:
    """What is there at once."""

    tiles: Sequence[Tile]
    charts: Sequence[Chart]
    ratings: Sequence[Rating]
    spending: Mapping[str, Sequence[Spending]]
    """By what is listed."""
    services: Sequence[str]
    """Those that can be chosen."""


@dataclass(frozen=True, slots=True)
class Notable:
    """A trace that stands out, and by what."""

    trace_id: str
    name: str
    service: str
    start_ns: int
    figure: str


async def read_overview(site: "Site", period: Period, service: str) -> Overview:
    """Read it. Raises ``SearchError``."""
    # The longest first: the reader has a few threads.
    names = ("traces_over_time", "feedback_over_time", "usage_over_time", "latency_over_time", "usage_of_services")
    traces, feedback, usage, latency, services = await asyncio.gather(
        *(_read(site, name, period, service) for name in names)
    )
    known = {row["ServiceName"] for row in (*services, *traces)} | {service}
    shown = [row for row in traces if service in ("", row["ServiceName"])]
    calls, said = Usage(usage, period), ratings(feedback)
    return Overview(
        tiles=tiles(shown, calls, latency, feedback),
        charts=[
            _volume_chart(shown, period),
            _latency_chart(latency, period),
            calls.tokens_chart(),
            calls.cost_chart(),
            feedback_chart(feedback, said, period),
        ],
        ratings=said,
        spending={
            "Model": calls.models(),
            "Service": [
                spending(row, "ServiceName", "service") for row in services if service in ("", row["ServiceName"])
            ],
        },
        services=sorted(known - {""}),
    )


async def read_costs(site: "Site", period: Period, service: str) -> tuple[list[Spending], list[Notable]]:
    """The users and the traces that cost most, which takes reading every call. Raises ``SearchError``."""
    users, traces = await asyncio.gather(
        _read(site, "usage_of_users", period, service),
        _read_notable(site, "dearest_traces", period, service),
    )
    return [spending(row, "UserId", "user") for row in users], traces


async def read_notable(site: "Site", period: Period, service: str) -> list[list[Notable]]:
    """Traces with the most negative feedback, those that failed last, and the slowest. Raises ``SearchError``."""
    names = ("disliked_traces", "failed_traces", "slowest_traces")
    return await asyncio.gather(*(_read_notable(site, name, period, service) for name in names))


_FIGURES: Final[Mapping[str, Callable[[Any], str]]] = {
    "disliked_traces": lambda negative: f"{negative} negative",
    "failed_traces": lambda error_type: error_type or "failed",
    "slowest_traces": duration,
    "dearest_traces": usd,
}
"""How what makes a trace stand out is written."""


async def _read_notable(site: "Site", name: str, period: Period, service: str) -> list[Notable]:
    rows = await _read(site, name, period, service)
    if not rows:
        return []
    ids = {"trace_ids": [row["TraceId"] for row in rows]}
    found = await site.reader.run(site.reader.query, named_sql("names_of_traces"), ids)
    told = {row["TraceId"]: row for row in found}
    # Feedback may come before its trace.
    return [
        Notable(
            trace_id=row["TraceId"],
            name=told[row["TraceId"]]["Name"],
            service=told[row["TraceId"]]["ServiceName"],
            start_ns=told[row["TraceId"]]["StartNs"],
            figure=_FIGURES[name](row["Figure"]),
        )
        for row in rows
        if row["TraceId"] in told
    ]


async def _read(site: "Site", name: str, period: Period, service: str) -> list[Row]:
    parameters = {
        "before": period.before,
        "start": period.start,
        "end": period.end,
        "bucket": period.bucket,
        "service": service,
    }
    return await site.reader.run(site.reader.query, named_sql(name), parameters)


def _volume_chart(rows: Sequence[Row], period: Period) -> Chart:
    sums: dict[str, dict[int, int]] = {"Traces": defaultdict(int), "Errors": defaultdict(int)}
    for row in rows:
        for column, by_bucket in sums.items():
            by_bucket[row["Bucket"]] += row[column]
    values = {column: [by_bucket[bucket] for bucket in period.buckets] for column, by_bucket in sums.items()}
    return Chart(
        key="traces",
        title="Traces and errors",
        about="Traces by when they began; an error is a trace whose root failed.",
        kind="bars",
        unit="count",
        series=[
            Series("traces", values["Traces"]),
            Series("errors", values["Errors"], {"status": "error"}, "error"),
        ],
        summary=f"{count(within(rows, 'Traces')[0])} traces, {count(within(rows, 'Errors')[0])} of them failed.",
    )


def _latency_chart(rows: Sequence[Row], period: Period) -> Chart:
    by_bucket = {row["Bucket"]: row for row in rows if row["Bucket"] != BEFORE}
    whole = by_bucket.get(WHOLE, {})
    names = ("P50", "P95", "P99")
    return Chart(
        key="latency",
        title="Latency",
        about="How long model calls took.",
        kind="lines",
        unit="duration",
        series=[
            Series(name.lower(), [by_bucket.get(bucket, {}).get(name) for bucket in period.buckets]) for name in names
        ],
        summary=", ".join(f"{name.lower()} {duration(whole.get(name))}" for name in names) + ".",
    )
