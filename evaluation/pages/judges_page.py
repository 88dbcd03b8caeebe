"""A judge against people: how far they agree, where they do not, and how that changed."""

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from hansei.collector.keys import Role
from hansei.evaluation.agreement.judge_agreement import Disagreement, JudgeAgreement, read_agreement
from hansei.evaluation.agreement.pairs import ComparableNames, read_comparable_names
from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.pages.answers import told
from hansei.evaluation.pages.render import page
from hansei.feedback.labeling.errors import LabelingError
from hansei.feedback.labeling.items import add_items, conversation_item, span_item, trace_item
from hansei.feedback.labeling.model import OPEN, Item
from hansei.feedback.labeling.sessions import existing_session, read_sessions
from hansei.feedback.pages.visitor import guarded

if TYPE_CHECKING:
    from hansei.feedback.search.connection import Query
    from hansei.feedback.web.site import Site
    from hansei.feedback.web.tables import Tables

_SHOWN: Final = 50
"""Disagreements on the page."""
_SENT: Final = 1_000
"""Disagreements that are sent to a labeling session."""


def judges_routes(site: "Site") -> list[BaseRoute]:
    """Its routes: looking needs the role ``read``, sending to a labeling session ``review``."""

    async def judges(request: Request) -> Response:
        asked = _asked(request.query_params)
        shown = await site.reader.run(_read, site.reader.query, *asked)
        may_send = request.state.visitor.may(Role.REVIEW)
        return page(request, "judges.html", section="Evaluation", may_send=may_send, most=_SHOWN, **shown)

    async def send(request: Request) -> Response:
        form = await request.form()
        judge, label, version = _asked(form)
        session_id = str(form.get("session") or "")
        added = await site.reader.run(_send, site.tables, judge, label, version, session_id)
        address = urlencode({"judge": judge, "label": label, "version": version, "sent": added, "to": session_id})
        return RedirectResponse(f"/evaluation/judges?{address}", 303)

    return [
        Route("/evaluation/judges", guarded(site, Role.READ)(told(judges)), methods=["GET"]),
        Route("/evaluation/judges", guarded(site, Role.REVIEW)(told(send)), methods=["POST"]),
    ]


def _asked(given: Any) -> tuple[str, str, str]:
    judge, label, version = (str(given.get(name) or "") for name in ("judge", "label", "version"))
    return judge, label, version


def _read(query: "Query", judge: str, label: str, version: str) -> dict[str, Any]:
    names = read_comparable_names(query)
    if not judge:
        judge, label = _likely(names)
    elif not label:
        label = judge if judge in names.labels else next(iter(names.labels), "")
    found = _agreement(query, judge, label, version) if judge and label else None
    sessions = [each for each in read_sessions(query) if each.status == OPEN]
    return {
        "names": names, "judge": judge, "label": label, "version": version, "found": found, "sessions": sessions,
    }  # fmt: skip


def _likely(names: ComparableNames) -> tuple[str, str]:
    """A judge and a label that have the same name, else the most frequent of each."""
    both = next((name for name in names.judges if name in names.labels), "")
    return both or next(iter(names.judges), ""), both or next(iter(names.labels), "")


def _agreement(query: "Query", judge: str, label: str, version: str) -> JudgeAgreement:
    return read_agreement(query, judge, label, judge_version=version or None)


def _send(tables: "Tables", judge: str, label: str, version: str, session_id: str) -> int:
    found = _agreement(tables.query, judge, label, version)
    try:
        existing_session(tables.query, session_id)
        reason = f"{judge} and people disagree about {label}"
        return add_items(tables, session_id, [_item(each, reason) for each in found.disagreements[:_SENT]]).added
    except LabelingError as error:
        raise InvalidEvaluation(str(error)) from error


def _item(disagreement: Disagreement, reason: str) -> Item:
    if disagreement.span_id:
        return span_item(disagreement.trace_id, disagreement.span_id, reason)
    if disagreement.trace_id:
        return trace_item(disagreement.trace_id, reason)
    return conversation_item(disagreement.session_id, reason)
