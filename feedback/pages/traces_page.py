"""The list of traces: what was asked and answered, the newest first, and what people and judges said of it."""

import json
import time
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from hansei.collector.keys import Role
from hansei.feedback.pages.render import HEADERS, page
from hansei.feedback.pages.trace_list_columns import COLUMNS
from hansei.feedback.pages.trace_list_filter import ASSESSED_BY
from hansei.feedback.pages.trace_list_range import RANGES
from hansei.feedback.pages.trace_list_request import LIMITS, ListRequest, list_request
from hansei.feedback.pages.trace_list_sql import shell_lines
from hansei.feedback.pages.visitor import guarded
from hansei.feedback.search.charts import trace_facets, trace_histogram
from hansei.feedback.search.errors import InvalidSearch, SearchError
from hansei.feedback.search.explained import explain_traces
from hansei.feedback.search.slices import time_of_traces
from hansei.feedback.web.reader import StoreAway

if TYPE_CHECKING:
    from starlette.requests import Request

    from hansei.feedback.web.site import Site

_BUCKETS: Final = 60
_LATE_MS: Final = 60_000
"""How much earlier than the newest known a trace may have begun that comes only now: it is sent when it ends."""
_PATIENCE: Final = 3.0
"""Seconds after which a search that reads much tells how far it came."""
_NEWER: Final = 100
"""Traces that one look for newer ones brings at most."""


class _Stopwatch:
    """How long the parts of an answer took, for the browser's own tools."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._since = time.perf_counter()

    def lap(self, name: str) -> None:
        """A part ends here."""
        now = time.perf_counter()
        self._parts.append(f"{name};dur={(now - self._since) * 1000:.1f}")
        self._since = now

    def on(self, response: Response) -> Response:
        """The answer with its header."""
        response.headers["Server-Timing"] = ", ".join(self._parts)
        return response


def traces_routes(site: "Site") -> list[BaseRoute]:
    """The page, and what its script fetches."""

    @guarded(site, Role.READ)
    async def traces(request: "Request") -> Response:
        watch = _Stopwatch()
        asked = _asked(request)
        found, error, status = None, "", 400
        if asked.usable:
            try:
                found = await site.reader.run(
                    site.traces, filter_string=asked.filter_text, start_time=asked.time.start_ms,
                    end_time=asked.time.until_ms, max_results=asked.limit, page_token=asked.page_token,
                    patience=_PATIENCE,
                )  # fmt: skip
                status = 200
            except SearchError as failed:
                error, status = str(failed), _status(failed)
        watch.lap("list")
        empty = found is not None and not found.traces
        newest_ms = await site.reader.run(_newest_ms, site) if empty and not asked.filter.text else None
        shown = _shown(site, asked) | {"found": found, "error": error, "newest_ms": newest_ms}
        # A script replaces the parts that have changed, and leaves the form alone.
        template = "traces_parts.html" if _is_script(request) else "traces.html"
        answer = page(request, template, status, section="Traces", **shown)
        watch.lap("page")
        return watch.on(answer)

    @guarded(site, Role.READ)
    async def newer(request: "Request") -> Response:
        watch = _Stopwatch()
        asked = _asked(request)
        asked.check()
        since = _since(request)
        found = await site.reader.run(
            site.traces, filter_string=asked.filter_text, start_time=max(since - _LATE_MS, asked.time.start_ms),
            end_time=asked.time.until_ms, max_results=_NEWER,
        )  # fmt: skip
        watch.lap("list")
        answer = page(request, "traces_newer.html", **_shown(site, asked), found=found)
        watch.lap("page")
        return watch.on(answer)

    @guarded(site, Role.READ)
    async def histogram(request: "Request") -> Response:
        watch = _Stopwatch()
        asked = _asked(request)
        asked.check()
        buckets = await site.reader.run(
            trace_histogram, site.reader.query, filter_string=asked.filter_text,
            start_time=asked.time.start_ms, end_time=asked.time.end_ms, buckets=_BUCKETS,
        )  # fmt: skip
        watch.lap("histogram")
        bars = [
            [bar.start_ns // 10**6, bar.end_ns // 10**6, bar.traces, bar.errors, bar.negative]
            for bar in buckets
            if bar.end_ns > bar.start_ns
        ]
        return watch.on(_json({"from": asked.time.start_ms, "to": asked.time.end_ms, "buckets": bars}))

    @guarded(site, Role.READ)
    async def facets(request: "Request") -> Response:
        watch = _Stopwatch()
        asked = _asked(request)
        found = await site.reader.run(
            trace_facets, site.reader.query, start_time=asked.time.start_ms, end_time=asked.time.end_ms
        )
        watch.lap("facets")
        return watch.on(_json({"service": found.services, "model": found.models, "feedback": found.feedback_names}))

    @guarded(site, Role.READ)
    async def sql(request: "Request") -> Response:
        asked = _asked(request)
        asked.check()
        text = explain_traces(
            filter_string=asked.filter_text, start_time=asked.time.start_ms, end_time=asked.time.end_ms,
            max_results=asked.limit,
        )  # fmt: skip
        template = "traces_sql_text.html" if _is_script(request) else "traces_sql.html"
        lines = shell_lines(site.server, text)
        return page(request, template, section="Traces", sql=text, lines=lines, back=f"/traces?{asked.address.query()}")

    return [
        Route("/traces", traces),
        Route("/traces/newer", newer),
        Route("/traces/histogram", histogram),
        Route("/traces/facets", facets),
        Route("/traces/sql", sql),
    ]


def _asked(request: "Request") -> ListRequest:
    return list_request(request, time.time_ns() // 10**6)


def _is_script(request: "Request") -> bool:
    return request.headers.get("x-requested-with") == "fetch"


def _json(content: dict[str, Any]) -> Response:
    return JSONResponse(content, headers=HEADERS)


def _status(error: SearchError) -> int:
    return 400 if isinstance(error, InvalidSearch) else 503 if isinstance(error, StoreAway) else 500


def _since(request: "Request") -> int:
    text = request.query_params.get("since", "")
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise InvalidSearch(f"since: {text!r} is not a number of milliseconds since 1970")
    return int(text)


def _newest_ms(site: "Site") -> int | None:
    """When the newest span of all began, None where there is none."""
    _, newest, spans = time_of_traces(site.reader.query)
    return newest // 10**6 if spans else None


def _value_text(value: str) -> str:
    """An assessment's JSON as people read it: of a text what is in it."""
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return parsed if isinstance(parsed, str) else value


def _shown(site: "Site", asked: ListRequest) -> dict[str, Any]:
    """What every part of the page knows."""
    otlp = site.server.addresses()
    return {
        "asked": asked,
        "ranges": RANGES,
        "columns": COLUMNS,
        "limits": LIMITS,
        "assessed_by": {value: label for value, (_, label) in ASSESSED_BY.items()},
        "value_text": _value_text,
        "otlp_grpc": otlp["otlp_grpc"],
        "otlp_http": otlp["otlp_http"],
        "needs_key": site.server.keys.required,
    }
