"""A labeling session: how far it is, who works on it, and what is done about it."""

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from hansei.collector.keys import Role
from hansei.feedback.errors import InvalidAssessment
from hansei.feedback.ids import trace_id_or_none
from hansei.feedback.labeling.errors import InvalidLabeling
from hansei.feedback.labeling.items import Added, add_items, read_items, trace_item
from hansei.feedback.labeling.model import DONE, LEASED, OPEN, RELEASED, SKIPPED, Item, LabelingSessionRecord, Work
from hansei.feedback.labeling.progress import Progress, read_progress
from hansei.feedback.labeling.reviewers import (
    checked_reviewers,
    remove_reviewer,
    reviewers_of,
    rotate_link,
    set_reviewers,
)
from hansei.feedback.labeling.rules import STRATA, WEIGHTS, rule_of
from hansei.feedback.labeling.sampling import apply_rule
from hansei.feedback.labeling.schemas import read_schema_versions
from hansei.feedback.labeling.sessions import change_session, delete_session, existing_session
from hansei.feedback.labeling.work import read_work
from hansei.feedback.pages import labeling_results as results
from hansei.feedback.pages.labeling_new_page import Counted, counted, review_link
from hansei.feedback.pages.labeling_rule_form import RULE_NAMES, RuleForm
from hansei.feedback.pages.labeling_schema_form import INPUT_NAMES
from hansei.feedback.pages.labeling_session_form import people
from hansei.feedback.pages.render import HEADERS, page
from hansei.feedback.search.errors import InvalidSearch

if TYPE_CHECKING:
    from starlette.requests import Request

    from hansei.feedback.labeling.model import LabelSchemaVersion, ReviewerRecord
    from hansei.feedback.search.connection import Query
    from hansei.feedback.web.site import Site
    from hansei.feedback.web.tables import Tables

_SHOWN: Final = 100
"""Items with a flag, in work or skipped, of each the latest."""
_FURTHEST: Final = 8
"""Items on which reviewers differ that the page lists."""
STATES: Final = {LEASED: "in work", DONE: "done", SKIPPED: "skipped", RELEASED: "given back"}
"""What the states of work are called."""


class SessionPages:
    """The page of a session, and what its forms do."""

    def __init__(self, site: "Site") -> None:
        self._site = site

    async def session(self, request: "Request") -> Response:
        """How far it is."""
        return await self._shown(request)

    async def agreement(self, request: "Request") -> Response:
        """How far reviewers agree, which takes longer to work out."""
        reader, session_id = self._site.reader, request.path_params["session_id"]
        found = await reader.run(_read_results, reader.query, session_id)
        return page(
            request, "labeling_agreement.html", section="Labeling", session=found.session, results=found,
            furthest=found.disagreements[:_FURTHEST], input_names=INPUT_NAMES, of=results,
            may_change=request.state.visitor.may(Role.REVIEW),
        )  # fmt: skip

    async def status(self, request: "Request") -> Response:
        """Open or close it."""
        given = await request.form()
        await self._write(request, change_session, status=str(given.get("status") or ""))
        return _back(request)

    async def add_reviewers(self, request: "Request") -> Response:
        """Let more people work on it, and show their links."""
        given = await request.form()
        session = await self._session(request)
        names = people(str(given.get("reviewers") or ""))
        try:
            tokens = await self._site.reader.run(
                _add_reviewers, self._site.tables, session, names, request.state.visitor.name
            )
        except InvalidLabeling as error:
            return await self._shown(request, reviewers_error=str(error), reviewers_given=str(given.get("reviewers")))
        return self._links(request, session, tokens)

    async def link(self, request: "Request") -> Response:
        """Give a reviewer a new link, or end the work of one."""
        given = await request.form()
        reviewer, session = str(given.get("reviewer") or ""), await self._session(request)
        store, who = self._site.tables, request.state.visitor.name
        if given.get("do") == "remove":
            await self._site.reader.run(partial(remove_reviewer, store, session.session_id, reviewer, changed_by=who))
            return _back(request)
        token = await self._site.reader.run(partial(rotate_link, store, session, reviewer, changed_by=who))
        return self._links(request, session, {reviewer: token})

    async def release(self, request: "Request") -> Response:
        """Give an item, or all that a reviewer has not finished, to whoever comes."""
        given = await request.form()
        reviewer, item_id = str(given.get("reviewer") or ""), str(given.get("item") or "")
        session = await self._session(request)
        desk = await run_in_threadpool(self._site.desks.of, session.session_id)
        if item_id:
            await run_in_threadpool(desk.release, item_id, reviewer)
        else:
            await run_in_threadpool(desk.release_all, reviewer)
        return _back(request)

    async def add_items(self, request: "Request") -> Response:
        """Add traces, by id or by a rule."""
        given = await request.form()
        form, session = RuleForm.of(given), await self._session(request)
        text = str(given.get("traces") or "")
        shown = {"rule": form, "traces": text}
        if given.get("do") == "count":
            return await self._shown(request, **shown, count=await counted(self._site, form, session.session_id))
        adding = partial(_add_items, self._site.tables, session, form, text, request.state.visitor.name)
        try:
            added = await self._site.reader.run(adding)
        except (InvalidLabeling, InvalidSearch, InvalidAssessment) as error:
            return await self._shown(request, **shown, items_error=str(error))
        return await self._shown(request, added=added)

    async def delete(self, request: "Request") -> Response:
        """Take it away; what was labeled stays."""
        await self._write(request, delete_session)
        return RedirectResponse("/labeling", 303, HEADERS)

    async def _session(self, request: "Request") -> LabelingSessionRecord:
        reader = self._site.reader
        return await reader.run(existing_session, reader.query, request.path_params["session_id"])

    async def _write(self, request: "Request", change: Any, **arguments: Any) -> None:
        session_id, who = request.path_params["session_id"], request.state.visitor.name
        await self._site.reader.run(partial(change, self._site.tables, session_id, **arguments, changed_by=who))

    def _links(self, request: "Request", session: LabelingSessionRecord, tokens: dict[str, str]) -> Response:
        links = {name: review_link(request, token) for name, token in tokens.items()}
        return page(
            request, "labeling_links.html", section="Labeling", session=session, links=links, added=None, new=False
        )

    async def _shown(self, request: "Request", **said: Any) -> Response:
        reader, session_id = self._site.reader, request.path_params["session_id"]
        session, progress, records, schemas, watched = await reader.run(_read, reader.query, session_id)
        error = said.get("items_error") or said.get("reviewers_error")
        links = {record.reviewer: record for record in records}
        context: dict[str, Any] = {
            "rule": RuleForm(rule="filter"), "traces": "", "count": Counted(), "added": None, "items_error": "",
            "reviewers_error": "", "reviewers_given": "", **said,
        }  # fmt: skip
        return page(
            request, "labeling_session.html", 400 if error else 200, section="Labeling", session=session,
            progress=progress, links=links, schemas=schemas, watched=watched, is_open=session.status == OPEN,
            of=results, states=STATES,
            input_names=INPUT_NAMES, rules=[rule_of(rule).reason() for rule in session.settings.rules],
            rule_names=RULE_NAMES, weights=WEIGHTS, strata=STRATA, counted_for=session_id,
            may_change=request.state.visitor.may(Role.REVIEW), **context,
        )  # fmt: skip


def _read(
    query: "Query", session_id: str
) -> "tuple[LabelingSessionRecord, Progress, list[ReviewerRecord], list[LabelSchemaVersion], list[tuple[Item, Work]]]":
    session = existing_session(query, session_id)
    items = {item.item_id: item for item in read_items(query, session_id)}
    work = [one for one in read_work(query, session_id) if one.item_id in items]
    watched = [one for one in work if one.flag or one.state in (LEASED, SKIPPED)]
    # What is flagged is for the organiser to read; then what is not finished.
    watched.sort(key=lambda one: (not one.flag, one.state != SKIPPED, -one.written))
    return (
        session,
        read_progress(query, session),
        reviewers_of(query, session_id),
        read_schema_versions(query, session),
        [(items[one.item_id], one) for one in watched[:_SHOWN]],
    )


def _read_results(query: "Query", session_id: str) -> results.Results:
    return results.read_results(query, existing_session(query, session_id))


def _add_reviewers(store: "Tables", session: LabelingSessionRecord, names: list[str], who: str) -> dict[str, str]:
    if not names:
        raise InvalidLabeling("reviewers: there are none; write addresses or names, one a line")
    with store.turn:
        roles = {record.reviewer: record.role for record in reviewers_of(store.query, session.session_id)}
        return set_reviewers(store, session, {**checked_reviewers(names), **roles}, changed_by=who)


def _add_items(store: "Tables", session: LabelingSessionRecord, form: RuleForm, text: str, who: str) -> Added:
    given = [word for word in re.split(r"[\s,;]+", text) if word]
    if given:
        items = [trace_item(trace_id_or_none(word) or "", "by hand") for word in given]
        return add_items(store, session.session_id, items)
    if not form.chosen:
        raise InvalidLabeling("items: there are none; write trace ids, or choose a rule")
    rule = form.made()
    if form.keep:
        rules = [*session.settings.rules, rule.to_json()]
        change_session(store, session.session_id, settings={"rules": rules}, changed_by=who)
    return apply_rule(store, rule, session.session_id)


def _back(request: "Request") -> Response:
    return RedirectResponse(f"/labeling/{request.path_params['session_id']}", 303, HEADERS)
