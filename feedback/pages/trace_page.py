"""The trace page: what happened, as a tree in time, and what was said of it."""

import asyncio
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from hansei.collector.keys import Role
from hansei.feedback.pages.assessments_panel import counts_by_span, read_assessments, read_names
from hansei.feedback.pages.render import HEADERS, environment, page
from hansei.feedback.pages.span_view import Prose, SpanView, raw_json
from hansei.feedback.pages.trace_assessments import assessment_routes, panel_context
from hansei.feedback.pages.trace_reading import MOST_SPANS, SpanFound, read_span, read_spans, spans_with_text
from hansei.feedback.pages.visitor import guarded
from hansei.feedback.pages.waterfall import Spans, Waterfall
from hansei.feedback.search.arguments import one_line, trace_id_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from hansei.feedback.assessment import Assessment
    from hansei.feedback.web.site import Site

ROWS: Final = 200
"""Rows of the tree that the server writes; a script writes those that are looked at."""
TEXT_COOKIE: Final = "hansei_text"
"""``plain`` where the visitor does not want texts rendered as Markdown; set by the page's script."""
_TRIES: Final = 15
"""How often a page of a trace that has not come looks again by itself."""
_SHORTEST_SEARCH: Final = 2
"""Characters of a text that is looked for in the spans' attributes."""


def trace_routes(site: "Site") -> list[BaseRoute]:
    """Its routes."""
    pages = _TracePages(site)
    read = guarded(site, Role.READ)
    return [
        Route("/traces/{trace_id}", read(pages.trace)),
        Route("/traces/{trace_id}/find", read(pages.find)),
        Route("/traces/{trace_id}/spans/{key}", read(pages.span)),
        Route("/traces/{trace_id}/spans/{key}/raw", read(pages.raw)),
        *assessment_routes(site, pages.trace),
    ]


class _TracePages:
    def __init__(self, site: "Site") -> None:
        self._site = site

    async def trace(self, request: "Request") -> Response:
        """The whole page. ``span`` of the address is the key of the span that is shown, else the root is."""
        reader = self._site.reader
        trace_id = trace_id_of(request.path_params["trace_id"])
        began = time.perf_counter()
        spans, assessments, names = await asyncio.gather(
            reader.run(read_spans, reader.query, trace_id),
            reader.run(read_assessments, reader.query, trace_id),
            reader.run(read_names, reader.query),
        )
        read = time.perf_counter()
        if spans is None:
            return _not_come(request, trace_id, assessments, names)
        answer, shown = await reader.run(self._page, request, trace_id, spans, assessments, names)
        done = time.perf_counter()
        answer.headers["Server-Timing"] = (
            f"read;dur={(read - began) * 1000:.1f}, tree;dur={(shown - read) * 1000:.1f}, "
            f"page;dur={(done - shown) * 1000:.1f}, total;dur={(done - began) * 1000:.1f}"
        )
        return answer

    def _page(
        self, request: "Request", trace_id: str, spans: Spans, assessments: "list[Assessment]", names: list[str]
    ) -> tuple[Response, float]:
        waterfall = Waterfall.of(spans, counts_by_span(assessments))
        asked = request.query_params.get("span")
        index = waterfall.index(asked) if asked else None
        index = waterfall.top if index is None else index
        selected = waterfall.keys[index]
        found = read_span(self._site.reader.query, trace_id, selected, cost=spans.costs[index], cost_known=True)
        start = _whole_number(request.query_params.get("from"), len(waterfall.order.rows))
        shown = time.perf_counter()
        answer = page(
            request,
            "trace.html",
            getattr(request.state, "form_status", 200),
            section="Traces",
            waterfall=waterfall,
            rows=list(waterfall.rows(start, ROWS)),
            start=start,
            most_spans=MOST_SPANS,
            selected=selected,
            view=None if found is None else _view(request, found),
            unknown_span=bool(asked) and asked != selected,
            sql=_sql(trace_id),
            sql_link=self._sql_link(request, trace_id),
            **panel_context(request, trace_id, assessments, names),
        )
        return answer, shown

    async def span(self, request: "Request") -> Response:
        """One span, for the page's script; whoever opens the address is led to the page."""
        trace_id, key = _span_of(request)
        if request.headers.get("sec-fetch-dest") == "document":
            return RedirectResponse(f"/traces/{trace_id}?{urlencode({'span': key})}", 303, HEADERS)
        return await self._site.reader.run(self._span, request, trace_id, key)

    def _span(self, request: "Request", trace_id: str, key: str) -> Response:
        found = read_span(self._site.reader.query, trace_id, key)
        shown = environment().get_template("trace_span.html")
        view = None if found is None else _view(request, found)
        status = 404 if found is None else 200
        return HTMLResponse(shown.render(trace_id=trace_id, selected=key, view=view), status, HEADERS)

    async def raw(self, request: "Request") -> Response:
        """One span as JSON."""
        trace_id, key = _span_of(request)
        found = await self._site.reader.run(read_span, self._site.reader.query, trace_id, key)
        if found is None:
            return JSONResponse({"error": f"trace {trace_id} has no span {key}"}, 404, HEADERS)
        return JSONResponse(raw_json(found), headers=HEADERS)

    async def find(self, request: "Request") -> Response:
        """The ids of the spans in which the text ``q`` is written."""
        trace_id = trace_id_of(request.path_params["trace_id"])
        text = one_line("q", request.query_params.get("q", ""))
        found: list[str] = []
        if len(text) >= _SHORTEST_SEARCH:
            found = await self._site.reader.run(spans_with_text, self._site.reader.query, trace_id, text)
        return JSONResponse({"spans": found}, headers=HEADERS)

    def _sql_link(self, request: "Request", trace_id: str) -> str | None:
        """Where the trace is answered as SQL, if the visitor's browser can be expected to get there."""
        address = self._site.server.addresses().get("sql")
        host = request.url.hostname
        if address is None or address.host not in (host, "0.0.0.0", "::"):
            return None
        shown = f"[{host}]" if host and ":" in host else host
        return f"http://{shown}:{address.port}/?query={quote(_sql(trace_id) + ' FORMAT PrettyCompactMonoBlock')}"


def _not_come(request: "Request", trace_id: str, assessments: "list[Assessment]", names: list[str]) -> Response:
    """The page of a trace of which there are no spans."""
    tries = _whole_number(request.query_params.get("tries"), _TRIES + 1)
    return page(
        request,
        "trace_missing.html",
        getattr(request.state, "form_status", 200) if assessments else 404,
        section="Traces",
        again=f"/traces/{trace_id}?tries={tries + 1}" if tries < _TRIES else None,
        selected="",
        **panel_context(request, trace_id, assessments, names),
    )


def _view(request: "Request", found: SpanFound) -> SpanView:
    asked = request.query_params.get("text") or request.cookies.get(TEXT_COOKIE)
    return SpanView(found, Prose(as_is=asked == "plain", all_of_it=request.query_params.get("all") == "1"))


def _span_of(request: "Request") -> tuple[str, str]:
    return trace_id_of(request.path_params["trace_id"]), one_line("span", request.path_params["key"])


def _sql(trace_id: str) -> str:
    return f"SELECT * FROM otel_traces WHERE TraceId = '{trace_id}' ORDER BY Timestamp"


def _whole_number(text: str | None, below: int) -> int:
    number = int(text) if text and text.isdecimal() and len(text) < 8 else 0
    return number if number < below else 0
