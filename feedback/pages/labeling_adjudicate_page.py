"""Where reviewers differ, side by side, and an arbiter decides."""

import asyncio
import json
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from hansei.collector.keys import Role
from hansei.feedback.labeling.adjudication import decide
from hansei.feedback.labeling.errors import InvalidLabel, LabelingConflict, UnknownLabeling
from hansei.feedback.labeling.inputs import InputCategoricalList, InputNumeric, InputPassFail, InputTextList
from hansei.feedback.labeling.items import read_item
from hansei.feedback.labeling.labels import Label
from hansei.feedback.labeling.model import Item, LabelingSessionRecord, LabelSchemaVersion
from hansei.feedback.labeling.schemas import read_schema_versions
from hansei.feedback.labeling.sessions import existing_session
from hansei.feedback.pages import labeling_results as results
from hansei.feedback.pages.render import HEADERS, page
from hansei.feedback.pages.trace_assessments import NAME_COOKIE, remembered_name

if TYPE_CHECKING:
    from starlette.datastructures import FormData
    from starlette.requests import Request

    from hansei.feedback.search.connection import Query
    from hansei.feedback.web.site import Site

_YEAR: Final = 365 * 24 * 3600
_PAGE: Final = 10
"""Items a page."""
_WAIT: Final = 2.0
"""Seconds that an answer waits for a decision to be readable."""
_PAUSE: Final = 0.05
_FIELDS: Final = ("item", "question", "choice", "value", "comment", "who")
"""Of the form of a decision."""
_NOTHING_KEPT: Final[Mapping[str, str]] = dict.fromkeys(_FIELDS, "")


class AdjudicatePages:
    """The page of disagreements, and deciding one."""

    def __init__(self, site: "Site") -> None:
        self._site = site

    async def disagreements(self, request: "Request") -> Response:
        """The items on which reviewers differ, the furthest apart first; ``item`` of the address: that one alone."""
        return await self._shown(request)

    async def decide(self, request: "Request") -> Response:
        """Record a decision."""
        given = await request.form()
        text = {name: str(given.get(name) or "") for name in _FIELDS}
        visitor, reader = request.state.visitor, self._site.reader
        session, item, question, labels = await reader.run(
            _found, reader.query, request.path_params["session_id"], text["item"], text["question"]
        )
        arbiter = visitor.name if visitor.key_id else text["who"].strip()[:200] or visitor.name
        try:
            value = _value(given, question, labels)
            written = await run_in_threadpool(
                partial(
                    decide, self._site.ledger, session, item, question, labels, arbiter=arbiter, value=value,
                    comment=text["comment"],
                )
            )  # fmt: skip
        except (InvalidLabel, LabelingConflict) as error:
            return await self._shown(request, only=item.item_id, error=str(error), kept=text)
        await self._readable(session, item, written, value)
        only = f"?item={quote(item.item_id)}" if request.query_params.get("item") else ""
        answer = RedirectResponse(f"/labeling/{session.session_id}/adjudicate{only}", 303, HEADERS)
        if not visitor.key_id and text["who"].strip():
            answer.set_cookie(NAME_COOKIE, quote(arbiter), max_age=_YEAR, samesite="lax", httponly=True)
        return answer

    async def _readable(self, session: LabelingSessionRecord, item: Item, written: str, value: Any) -> None:
        reader, deadline = self._site.reader, time.monotonic() + _WAIT
        while time.monotonic() < deadline:
            labels = await reader.run(results.read_item_labels, reader.query, session, item)
            if any(label.assessment_id == written and label.value == value for label in labels):
                return
            await asyncio.sleep(_PAUSE)

    async def _shown(
        self, request: "Request", only: str = "", error: str = "", kept: Mapping[str, str] = _NOTHING_KEPT
    ) -> Response:
        reader, session_id = self._site.reader, request.path_params["session_id"]
        found = await reader.run(_read, reader.query, session_id)
        only = only or request.query_params.get("item", "")
        differing = found.disagreements
        shown = [one for one in found.items if one.item.item_id == only] if only else differing[:_PAGE]
        visitor = request.state.visitor
        return page(
            request, "labeling_adjudicate.html", 400 if error else 200, section="Labeling", session=found.session,
            shown=shown, differing=len(differing), open=sum(one.open for one in differing), only=only, error=error,
            of=results, may_change=visitor.may(Role.REVIEW), asks_name=not visitor.key_id,
            kept=kept, who=kept["who"] or remembered_name(request),
        )  # fmt: skip


def _read(query: "Query", session_id: str) -> results.Results:
    return results.read_results(query, existing_session(query, session_id))


def _found(
    query: "Query", session_id: str, item_id: str, question: str
) -> tuple[LabelingSessionRecord, Item, LabelSchemaVersion, list[Label]]:
    session = existing_session(query, session_id)
    item = read_item(query, session_id, item_id)
    if item is None:
        raise UnknownLabeling("there is no such item in this labeling session; it may have been removed")
    for schema in read_schema_versions(query, session):
        if schema.name == question:
            return session, item, schema, results.read_item_labels(query, session, item)
    raise UnknownLabeling("this labeling session has no such question")


def _value(given: "FormData", question: LabelSchemaVersion, labels: list[Label]) -> Any:
    """The answer that was chosen of those there are, or one of the arbiter's own. Raises :class:`InvalidLabel`."""
    chosen = str(given.get("choice") or "")
    if not chosen:
        raise InvalidLabel("choose one of the answers, or give your own")
    if chosen != "own":
        for label in labels:
            if label.assessment_id == chosen and label.question == question.name:
                return label.value
        raise InvalidLabel("the answer that you chose is not there any more; load the page again")
    kind = question.input["type"]
    if kind == InputCategoricalList.TYPE:
        return [str(value) for value in given.getlist("value")]
    text = str(given.get("value") or "").replace("\r\n", "\n").strip()
    if kind == InputPassFail.TYPE:
        return {"true": True, "false": False}.get(text, text)
    if kind == InputTextList.TYPE:
        return [line.strip() for line in text.split("\n") if line.strip()]
    if kind == InputNumeric.TYPE:
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
