"""Saying something of a trace: adding, correcting, overriding and taking back assessments, and their history."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from hansei.collector.keys import Role
from hansei.feedback.assessment import DEFAULT_NAME, Assessment, Expectation
from hansei.feedback.errors import InvalidAssessment
from hansei.feedback.pages.assessment_form import AssessmentForm
from hansei.feedback.pages.assessments_panel import (
    counts_by_span,
    entries,
    events_since,
    read_assessments,
    read_history,
    read_names,
)
from hansei.feedback.pages.render import HEADERS, environment, page
from hansei.feedback.pages.visitor import guarded
from hansei.feedback.search.arguments import one_line, trace_id_of
from hansei.feedback.search.assessments import read_assessment
from hansei.feedback.source import AssessmentSource, AssessmentSourceType

if TYPE_CHECKING:
    from starlette.requests import Request

    from hansei.feedback.web.site import Site

NAME_COOKIE: Final = "hansei_name"
_YEAR: Final = 365 * 24 * 3600
_LONGEST_NAME: Final = 200
_WAIT: Final = 2.0
"""Seconds that an answer waits for what was written to be readable."""
_PAUSE: Final = 0.05
_ACTIONS: Final = {"correct": "Correct", "override": "Override", "history": "History of"}

TracePage = Callable[["Request"], Awaitable[Response]]


def remembered_name(request: "Request") -> str:
    """The name under which the visitor said something before."""
    return unquote(request.cookies.get(NAME_COOKIE, ""))[:_LONGEST_NAME]


def panel_context(
    request: "Request", trace_id: str, assessments: Sequence[Assessment], names: list[str]
) -> dict[str, Any]:
    """What the panel of assessments shows."""
    return {
        "trace_id": trace_id,
        "entries": entries(assessments),
        "said": counts_by_span(assessments),
        "names": list(dict.fromkeys([*(each.name for each in assessments), *names, DEFAULT_NAME])),
        "form": getattr(request.state, "form", None) or AssessmentForm(who=remembered_name(request)),
        "form_error": getattr(request.state, "form_error", ""),
        "asks_name": not request.state.visitor.key_id,
        "may_say": request.state.visitor.may(Role.FEEDBACK),
    }


def assessment_routes(site: "Site", trace_page: TracePage) -> list[BaseRoute]:
    """Routes of a trace's assessments; ``trace_page`` shows a form again in which something is wrong."""
    pages = _AssessmentPages(site, trace_page)
    read, write = guarded(site, Role.READ), guarded(site, Role.FEEDBACK)
    # An id of another SDK may have a slash in it.
    return [
        Route("/traces/{trace_id}/assessments", read(pages.panel), methods=["GET"]),
        Route("/traces/{trace_id}/assessments", write(pages.add), methods=["POST"]),
        Route("/traces/{trace_id}/assessments/{assessment_id:path}", read(pages.one), methods=["GET"]),
        Route("/traces/{trace_id}/assessments/{assessment_id:path}", write(pages.change), methods=["POST"]),
    ]


class _AssessmentPages:
    def __init__(self, site: "Site", trace_page: TracePage) -> None:
        self._site = site
        self._trace_page = trace_page

    async def panel(self, request: "Request") -> Response:
        """The panel alone, for the page's script."""
        trace_id = trace_id_of(request.path_params["trace_id"])
        return await self._panel(request, trace_id)

    async def add(self, request: "Request") -> Response:
        """Record an assessment."""
        trace_id = trace_id_of(request.path_params["trace_id"])
        form = AssessmentForm.of(await request.form())
        since = time.time_ns()
        try:
            assessment = form.assessment(trace_id, self._who(request, form))
            recorded = await run_in_threadpool(self._site.ledger.record, assessment)
        except InvalidAssessment as error:
            if _by_script(request):
                raise
            request.state.form, request.state.form_error, request.state.form_status = form, str(error), 400
            return await self._trace_page(request)
        return await self._written(request, trace_id, str(recorded.assessment_id), form, since)

    async def one(self, request: "Request") -> Response:
        """A form to correct or override an assessment, or its history: ``do`` of the address says which."""
        trace_id, assessment_id, found = await self._found(request)
        action = request.query_params.get("do", "history")
        if found is None and action != "history":
            raise _gone(assessment_id)
        return await self._one(request, trace_id, assessment_id, found, action)

    async def change(self, request: "Request") -> Response:
        """Correct, override or take back an assessment."""
        trace_id, written, found = await self._found(request)
        if found is None:
            raise _gone(written)
        given = await request.form()
        form = replace(AssessmentForm.of(given), span_id=found.span_id or "")
        action = given.get("action")
        since = time.time_ns()
        try:
            who = self._who(request, form)
            if action == "retract":
                source = AssessmentSource(AssessmentSourceType.HUMAN, who)
                await run_in_threadpool(partial(self._site.ledger.retract, trace_id, written, source))
            elif action == "correct":
                form = replace(form, kind="expectation" if isinstance(found, Expectation) else "feedback")
                corrected = replace(form.assessment(trace_id, who), metadata=found.metadata)
                await run_in_threadpool(partial(self._site.ledger.correct, trace_id, written, corrected))
            elif action == "override":
                if isinstance(found, Expectation):
                    raise InvalidAssessment("an expectation is corrected, not overridden")
                form = replace(form, kind="feedback", name=found.name)
                overriding = form.assessment(trace_id, who, overrides=written)
                written = str((await run_in_threadpool(self._site.ledger.record, overriding)).assessment_id)
            else:
                raise InvalidAssessment(f"action: {action!r} is not one of correct, override, retract")
        except InvalidAssessment as error:
            if _by_script(request) or action not in ("correct", "override"):
                raise
            return await self._one(request, trace_id, written, found, str(action), form, str(error))
        return await self._written(request, trace_id, written, form, since)

    def _who(self, request: "Request", form: AssessmentForm) -> str:
        """Who says it: whose key it is, or, where none is asked for, the name that was typed."""
        visitor = request.state.visitor
        return visitor.name if visitor.key_id else form.who.strip()[:_LONGEST_NAME] or visitor.name

    async def _found(self, request: "Request") -> tuple[str, str, Assessment | None]:
        """The trace, the id, and the assessment as it is now; None where it was taken back, or never was."""
        trace_id = trace_id_of(request.path_params["trace_id"])
        assessment_id = one_line("assessment_id", request.path_params["assessment_id"])
        found = await self._site.reader.run(read_assessment, self._site.reader.query, trace_id, assessment_id)
        return trace_id, assessment_id, found

    async def _one(
        self,
        request: "Request",
        trace_id: str,
        assessment_id: str,
        found: Assessment | None,
        action: str,
        form: AssessmentForm | None = None,
        error: str = "",
    ) -> Response:
        reader = self._site.reader
        if action not in _ACTIONS:
            raise InvalidAssessment(f"do: {action!r} is not one of {', '.join(_ACTIONS)}")
        if action != "history" and not request.state.visitor.may(Role.FEEDBACK):
            raise InvalidAssessment("this key may read, not say something; sign in with one that may")
        steps = await reader.run(read_history, reader.query, trace_id, assessment_id)
        if not steps:
            raise _gone(assessment_id)
        name = found.name if found else next((step.name for step in reversed(steps) if step.name), "")
        context: dict[str, Any] = {
            "trace_id": trace_id,
            "assessment_id": assessment_id,
            "action": action,
            "title": f"{_ACTIONS[action]} {name or 'the assessment'}",
            "steps": steps,
            "form": form or replace(_filled(found), who=remembered_name(request)),
            "form_error": error,
            "asks_name": not request.state.visitor.key_id,
            "by_script": _by_script(request),
        }
        if _by_script(request):
            template = environment().get_template("assessment_dialog.html")
            return HTMLResponse(template.render(context), 200, HEADERS)
        return page(request, "assessment_page.html", 400 if error else 200, section="Traces", **context)

    async def _written(
        self, request: "Request", trace_id: str, assessment_id: str, form: AssessmentForm, since: int
    ) -> Response:
        """The answer once what was written can be read."""
        reader = self._site.reader
        deadline = time.monotonic() + _WAIT
        while not await reader.run(events_since, reader.query, trace_id, assessment_id, since):
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(_PAUSE)
        answer: Response
        if _by_script(request):
            request.state.form = AssessmentForm(who=form.who)
            answer = await self._panel(request, trace_id)
        else:
            span = f"?{urlencode({'span': form.span_id})}" if form.span_id else ""
            answer = RedirectResponse(f"/traces/{trace_id}{span}#assessments", 303, HEADERS)
        if not request.state.visitor.key_id and form.who.strip():
            name = quote(form.who.strip()[:_LONGEST_NAME])
            answer.set_cookie(NAME_COOKIE, name, max_age=_YEAR, samesite="lax", httponly=True)
        return answer

    async def _panel(self, request: "Request", trace_id: str) -> Response:
        reader = self._site.reader
        assessments, names = await asyncio.gather(
            reader.run(read_assessments, reader.query, trace_id), reader.run(read_names, reader.query)
        )
        context = panel_context(request, trace_id, assessments, names)
        template = environment().get_template("assessments.html")
        return HTMLResponse(template.render({**context, "selected": ""}), 200, HEADERS)


def _by_script(request: "Request") -> bool:
    return request.headers.get("x-requested-with") == "fetch"


def _filled(assessment: Assessment | None) -> AssessmentForm:
    return AssessmentForm() if assessment is None else AssessmentForm.filled(assessment)


def _gone(assessment_id: str) -> InvalidAssessment:
    return InvalidAssessment(f"assessment {assessment_id!r} of this trace is not there, or not any more")
