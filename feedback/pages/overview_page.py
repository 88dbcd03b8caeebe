"""The overview: how things are going, in numbers and charts that lead to the traces behind them."""

import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hansei.collector.keys import Role
from hansei.feedback.pages.charts import shown
from hansei.feedback.pages.overview_data import read_costs, read_notable, read_overview
from hansei.feedback.pages.period import RANGES, Period, period_of
from hansei.feedback.pages.render import page
from hansei.feedback.pages.visitor import guarded
from hansei.feedback.search.arguments import one_line

if TYPE_CHECKING:
    from starlette.requests import Request

    from hansei.feedback.web.site import Site


class Links:
    """Addresses of what the overview shows."""

    def __init__(self, period: Period, service: str) -> None:
        self._period = period
        self._service = {"service": service} if service else {}

    def traces(self, start_ms: int | None = None, end_ms: int | None = None, **query: str) -> str:
        """The traces of a time (of the whole period where none is given) that fit a query."""
        start = self._period.start * 1000 if start_ms is None else start_ms
        end = self._period.end * 1000 if end_ms is None else end_ms
        return f"/traces?{urlencode({'from': start, 'to': end, **self._service, **query})}"

    def part(self, name: str) -> str:
        """A part of the overview that takes longer."""
        return f"/overview/{name}?{urlencode({**self._period.query, **self._service})}"


def overview_routes(site: "Site") -> list[BaseRoute]:
    """Its routes."""

    @guarded(site, Role.READ)
    async def overview(request: "Request") -> Response:
        started = time.perf_counter()
        period, service = _asked(request)
        shows = await read_overview(site, period, service)
        read = time.perf_counter()
        answer = page(
            request, "overview.html", section="Overview",
            period=period, service=service, ranges=RANGES, shows=shows, links=Links(period, service), shown=shown,
        )  # fmt: skip
        _timed(answer, started, read)
        return answer

    @guarded(site, Role.READ)
    async def costs(request: "Request") -> Response:
        started = time.perf_counter()
        period, service = _asked(request)
        users, dearest = await read_costs(site, period, service)
        read = time.perf_counter()
        answer = page(
            request, "overview_costs.html", section="Overview",
            period=period, service=service, users=users, dearest=dearest, links=Links(period, service),
        )  # fmt: skip
        _timed(answer, started, read)
        return answer

    @guarded(site, Role.READ)
    async def notable(request: "Request") -> Response:
        started = time.perf_counter()
        period, service = _asked(request)
        disliked, failed, slowest = await read_notable(site, period, service)
        read = time.perf_counter()
        answer = page(
            request, "overview_notable.html", section="Overview",
            period=period, service=service, disliked=disliked, failed=failed, slowest=slowest,
        )  # fmt: skip
        _timed(answer, started, read)
        return answer

    return [
        Route("/overview", overview),
        Route("/overview/costs", costs),
        Route("/overview/notable", notable),
    ]


def _asked(request: "Request") -> tuple[Period, str]:
    """The period and the service of an address. Raises ``InvalidSearch``."""
    service = one_line("service", request.query_params.get("service", "").strip())
    return period_of(request.query_params, time.time()), service


def _timed(answer: Response, started: float, read: float) -> None:
    """Tell how long reading and rendering took."""
    figures = (("read", read - started), ("render", time.perf_counter() - read))
    answer.headers["Server-Timing"] = ", ".join(f"{name};dur={seconds * 1000:.1f}" for name, seconds in figures)
