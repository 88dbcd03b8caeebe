"""Sessions: conversations as a list, and each as one thread."""

import asyncio
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from hansei.collector.keys import Role
from hansei.feedback.errors import InvalidAssessment
from hansei.feedback.pages.assessment_form import AssessmentForm
from hansei.feedback.pages.assessments_panel import entries
from hansei.feedback.pages.markdown import markdown
from hansei.feedback.pages.named_sql import named_sql
from hansei.feedback.pages.period import RANGES, period_of
from hansei.feedback.pages.render import HEADERS, page
from hansei.feedback.pages.session_address import session_address
from hansei.feedback.pages.session_feedback import record
from hansei.feedback.pages.session_list import SessionList, read_sessions
from hansei.feedback.pages.trace_assessments import NAME_COOKIE, remembered_name
from hansei.feedback.pages.turns import ORDERS, read_turns
from hansei.feedback.pages.visitor import guarded
from hansei.feedback.search.arguments import one_line, trace_id_of
from hansei.feedback.search.assessments import find_assessments
from hansei.feedback.search.errors import InvalidSearch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from hansei.feedback.assessment import Assessment
    from hansei.feedback.search.connection import Query
    from hansei.feedback.web.site import Site

_YEAR = 365 * 24 * 3600


def sessions_routes(site: "Site") -> list[BaseRoute]:
    """Its routes."""
    pages = _SessionPages(site)
    read, write = guarded(site, Role.READ), guarded(site, Role.FEEDBACK)
    return [
        Route("/sessions", read(pages.sessions)),
        # An id may have slashes in it.
        Route("/sessions/{session_id:path}", read(pages.session), methods=["GET"]),
        Route("/sessions/{session_id:path}", write(pages.say), methods=["POST"]),
    ]


class _SessionPages:
    def __init__(self, site: "Site") -> None:
        self._site = site

    async def sessions(self, request: "Request") -> Response:
        """The list."""
        started = time.perf_counter()
        given = request.query_params
        asked = SessionList(
            period=period_of(given, time.time(), "24h"),
            filter=given.get("filter", "").strip(),
            user=given.get("user", "").strip(),
            service=given.get("service", "").strip(),
            page=given.get("page", "").strip(),
        )
        reader, error = self._site.reader, ""
        try:
            found = await reader.run(read_sessions, reader.query, asked)
        except InvalidSearch as wrong:
            # What is wrong is told beside the field, where it can be mended.
            found, error = None, str(wrong)
        read = time.perf_counter()
        answer = page(
            request, "sessions.html", 400 if error else 200, section="Sessions",
            asked=asked, found=found, error=error, ranges=RANGES, address=session_address,
        )  # fmt: skip
        _timed(answer, started, read)
        return answer

    async def session(self, request: "Request") -> Response:
        """The thread: the part that ``order`` and ``page`` of the address tell, with a form at the turn ``say``."""
        form = AssessmentForm(who=remembered_name(request))
        return await self._thread(request, form, request.query_params.get("say", ""))

    async def say(self, request: "Request") -> Response:
        """Record an assessment of the session, or of the turn that the form names."""
        session_id = _session_id(request)
        given = await request.form()
        form = AssessmentForm.of(given)
        trace_id = str(given.get("trace_id") or "")
        visitor = request.state.visitor
        try:
            written = await record(self._site, visitor, form, session_id, trace_id and trace_id_of(trace_id))
        except InvalidAssessment as error:
            return await self._thread(request, form, trace_id, str(error))
        kept = {key: value for key, value in request.query_params.items() if key in ("order", "page")}
        back = f"{session_address(session_id, **kept)}#{quote(written, safe='')}"
        answer = RedirectResponse(back, 303, HEADERS)
        if not visitor.key_id and form.who.strip():
            answer.set_cookie(NAME_COOKIE, quote(form.who.strip()[:200]), max_age=_YEAR, samesite="lax", httponly=True)
        return answer

    async def _thread(self, request: "Request", form: AssessmentForm, say: str, form_error: str = "") -> Response:
        started = time.perf_counter()
        session_id, reader = _session_id(request), self._site.reader
        if not session_id:
            return RedirectResponse("/sessions", 303, HEADERS)
        order = request.query_params.get("order", "oldest")
        if order not in ORDERS:
            raise InvalidSearch(f"order: {order!r} is not one of {', '.join(ORDERS)}")
        session, said = await asyncio.gather(
            reader.run(_read_session, reader.query, session_id), reader.run(_said_of_session, reader.query, session_id)
        )
        if session is None and not said:
            return page(
                request, "message.html", 404, section="Sessions", title="No such session",
                text=f"Nothing has come of the session {session_id!r}, or its time of retention is over.",
                link=("All sessions", "/sessions"),
            )  # fmt: skip
        total = session["Traces"] if session else 0
        token = request.query_params.get("page") or None
        turns = await reader.run(read_turns, reader.query, session_id, order, token, total)
        read = time.perf_counter()
        query = {"order": order} if order != "oldest" else {}
        answer = page(
            request, "session.html", 400 if form_error else 200, section="Sessions",
            session_id=session_id, session=session, said=entries(said), turns=turns, order=order, orders=ORDERS,
            page_token=token, address=session_address, query=query, markdown=markdown,
            may_say=request.state.visitor.may(Role.FEEDBACK), asks_name=not request.state.visitor.key_id,
            form=form, form_error=form_error, say=say,
        )  # fmt: skip
        _timed(answer, started, read)
        return answer


def _session_id(request: "Request") -> str:
    return one_line("session", request.path_params["session_id"] or request.query_params.get("id", ""))


def _read_session(query: "Query", session_id: str) -> "Mapping[str, Any] | None":
    rows = query(named_sql("session"), {"session_id": session_id})
    return rows[0] if rows else None


def _said_of_session(query: "Query", session_id: str) -> "list[Assessment]":
    """What was said of the session as a whole, the oldest first."""
    found = find_assessments(query, session_id=session_id, max_results=200)
    return [one for one in found if one.trace_id is None][::-1]


def _timed(answer: Response, started: float, read: float) -> None:
    """Tell how long reading and rendering took."""
    figures = (("read", read - started), ("render", time.perf_counter() - read))
    answer.headers["Server-Timing"] = ", ".join(f"{name};dur={seconds * 1000:.1f}" for name, seconds in figures)
