"""Sessions: a list of them, and one with its traces and what was said of it."""

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.routing import Route

from hansei.collector.keys import Principal, Role
from hansei.feedback.api.assessment_json import assessment_json
from hansei.feedback.api.parameters import PAGES, Parameters, items
from hansei.feedback.api.problem import Problem
from hansei.feedback.api.resource import PREFIX, Answer, Operation, Resource
from hansei.feedback.search.assessments import find_assessments
from hansei.feedback.search.connection import Query
from hansei.feedback.search.ledger import traces_of_session
from hansei.feedback.search.sessions import Session, find_sessions

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

MOST: Final = 10_000
"""Traces, and assessments, that are answered of one session."""


def session_routes(site: "Site") -> list[Route]:
    """The routes."""
    reader = site.reader

    async def find(request: Request, _: Principal | None) -> Answer:
        parameters = Parameters.of(request, "filter", "from", "to", *PAGES)
        page = await reader.run(
            find_sessions,
            reader.query,
            filter_string=parameters.text("filter"),
            start_time=parameters.moment("from"),
            end_time=parameters.moment("to"),
            max_results=parameters.limit,
            page_token=parameters.text("page_token"),
        )
        body = items([_session(each) for each in page], page.next_page_token)
        return Answer(200, body, parameters.next_page(page.next_page_token))

    async def read(request: Request, _: Principal | None) -> Answer:
        Parameters.of(request)
        session_id = request.path_params["session_id"]
        found = await reader.run(_whole, reader.query, session_id)
        if found is None:
            raise Problem(404, f"there is no session {session_id[:80]!r}; none of its spans may have come yet")
        return Answer(200, found)

    return [
        Route(PREFIX + "/sessions", Resource(site, {"GET": Operation(find, Role.READ)})),
        Route(PREFIX + "/sessions/{session_id:path}", Resource(site, {"GET": Operation(read, Role.READ)})),
    ]


def _whole(query: Query, session_id: str) -> dict[str, Any] | None:
    found = find_sessions(query, session_id=session_id, max_results=1)
    if not found:
        return None
    said = find_assessments(query, session_id=session_id, max_results=MOST)
    return {
        **_session(found[0]),
        "trace_ids": traces_of_session(query, session_id, MOST),
        "said": [assessment_json(each) for each in said if each.trace_id is None],
    }


def _session(row: Session) -> dict[str, Any]:
    return {
        "session_id": row["SessionId"],
        "user_id": row["UserId"] or None,
        "service": row["ServiceName"],
        "start": _moment(row["Start"]),
        "end": _moment(row["End"]),
        "traces": row["Traces"],
        "calls": row["Calls"],
        "input_tokens": row["InputTokens"],
        "output_tokens": row["OutputTokens"],
        "cost_usd": row["CostUsd"],
        "errors": row["Errors"],
        "unpriced_calls": row["UnpricedCalls"],
        "assessments": row["Assessments"],
        "feedback": row["Feedback"],
        "expectations": row["Expectations"],
        "negative_feedback": row["NegativeFeedback"],
    }


def _moment(moment: datetime) -> str:
    """RFC 3339; the store's moments are UTC."""
    text = moment.replace(tzinfo=moment.tzinfo or timezone.utc).astimezone(timezone.utc)
    return text.isoformat(timespec="microseconds").replace("+00:00", "Z")
