"""Traces: a list of them in short, and one whole."""

import json
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from hansei.collector.keys import Principal, Role
from hansei.feedback.api.assessment_json import assessment_json, moment_json
from hansei.feedback.api.json_text import json_bytes
from hansei.feedback.api.parameters import PAGES, Parameters, items
from hansei.feedback.api.problem import Problem
from hansei.feedback.api.resource import PREFIX, Answer, Operation, Resource
from hansei.feedback.search.connection import Query
from hansei.feedback.search.summaries import TraceSummary
from hansei.feedback.search.traces import read_trace

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site


def trace_routes(site: "Site") -> list[Route]:
    """The routes."""
    reader = site.reader

    async def find(request: Request, _: Principal | None) -> Answer:
        parameters = Parameters.of(request, "filter", "from", "to", *PAGES)
        page = await reader.run(
            site.traces,
            filter_string=parameters.text("filter"),
            start_time=parameters.moment("from"),
            end_time=parameters.moment("to"),
            max_results=parameters.limit,
            page_token=parameters.text("page_token"),
        )
        body = items([_summary(each) for each in page.traces], page.next_page_token)
        return Answer(200, body, parameters.next_page(page.next_page_token))

    async def read(request: Request, _: Principal | None) -> Answer:
        Parameters.of(request)
        trace_id = request.path_params["trace_id"]
        found = await reader.run(_whole, reader.query, trace_id)
        if found is None:
            raise Problem(404, f"there is no trace {trace_id!r}; it may not have come yet")
        return Answer(200, found)

    return [
        Route(PREFIX + "/traces", Resource(site, {"GET": Operation(find, Role.READ)})),
        Route(PREFIX + "/traces/{trace_id}", Resource(site, {"GET": Operation(read, Role.READ)})),
    ]


def _whole(query: Query, trace_id: str) -> bytes | None:
    """The JSON of a trace, which may be long: it is made in the thread that reads."""
    trace = read_trace(query, trace_id)
    if trace is None:
        return None
    said = [assessment_json(each) for each in trace.assessments]
    return json_bytes({**trace.to_dict(), "assessments": said})


def _summary(trace: TraceSummary) -> dict[str, Any]:
    return {
        "trace_id": trace.trace_id,
        "name": trace.name,
        "service": trace.service,
        "start": moment_json(trace.start_ns, 9),
        "duration_ms": trace.duration_ns / 1e6,
        "state": trace.state,
        "complete": trace.complete,
        "spans": trace.spans,
        "errors": trace.errors,
        "calls": trace.calls,
        "models": list(trace.models),
        "input_tokens": trace.input_tokens,
        "output_tokens": trace.output_tokens,
        "cost_usd": trace.cost_usd,
        "session_id": trace.session_id,
        "user_id": trace.user_id,
        "request": trace.request,
        "response": trace.response,
        "assessments": [
            {
                "assessment_id": said.assessment_id,
                "name": said.name,
                "kind": said.kind,
                "value": _value(said.value),
                "rationale": said.rationale or None,
                "source": {"type": said.source_type, "id": said.source_id},
            }
            for said in trace.said
        ],
    }


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
