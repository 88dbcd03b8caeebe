"""One item: what to read, what to answer, and what becomes of it."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from hansei.feedback.labeling.assignment import Answers, Assigned
from hansei.feedback.labeling.desk_errors import AlreadyDone
from hansei.feedback.labeling.errors import InvalidLabel
from hansei.feedback.labeling.model import RELEASED
from hansei.feedback.review.entry import Visit
from hansei.feedback.review.exchange import read_exchange
from hansei.feedback.review.frame import display_name, place_of_work, review_json, review_page
from hansei.feedback.review.questions import (
    answers_of_form,
    answers_of_json,
    number_limits,
    questions_of,
    unanswered,
)
from hansei.feedback.review.said_before import read_said

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

_LARGEST: Final = 1_500_000
"""Bytes of a request."""
_LONGEST_NOTE: Final = 2_000
"""Characters of a note to the organiser."""
_DAY: Final = 86_400.0


class ItemPages:
    """The page of an item, and what it sends."""

    def __init__(self, site: "Site") -> None:
        self._site = site

    async def item(self, visit: Visit) -> Response:
        """The page."""
        assigned = await run_in_threadpool(visit.desk.open_item, visit.name, visit.item_id)
        return await self._page(visit, assigned)

    async def draft(self, visit: Visit) -> Response:
        """Keep what is answered so far; answers the revision that is kept."""
        given = await _sent(visit)
        answers = answers_of_json(visit.desk.questions, given.get("answers"))
        try:
            kept = await run_in_threadpool(
                visit.desk.save_draft, visit.name, visit.item_id, answers, _seconds(given), _revision(given) or 0
            )
        except InvalidLabel:
            return _invalid(visit, {})
        return review_json({"revision": kept})

    async def heartbeat(self, visit: Visit) -> Response:
        """The page is open."""
        given = await _sent(visit)
        until = await run_in_threadpool(visit.desk.heartbeat, visit.name, visit.item_id, _seconds(given))
        return review_json({"lease_until": until})

    async def submit(self, visit: Visit) -> Response:
        """Hand in; answers where to go next."""
        questions = visit.desk.questions
        given: Mapping[str, Any] = {}
        if visit.by_script:
            given = await _sent(visit)
            answers = answers_of_json(questions, given.get("answers"))
        else:
            answers = answers_of_form(questions, await visit.request.form())
        problems = unanswered(questions, answers, visit.language)
        if not problems:
            try:
                await run_in_threadpool(
                    visit.desk.submit, visit.name, visit.item_id, answers, _seconds(given), _revision(given)
                )
            except InvalidLabel as error:
                found = getattr(error, "problems", {}) or {questions[0].name: ""}
                problems = {name: visit.language("problem.answer") for name in found}
        if not problems:
            return await self._onward(visit)
        if visit.by_script:
            return _invalid(visit, problems)
        assigned = await run_in_threadpool(visit.desk.open_item, visit.name, visit.item_id)
        return await self._page(visit, assigned, answers, problems)

    async def skip(self, visit: Visit) -> Response:
        """Leave the item to others; answers where to go next."""
        reason = await _note(visit, "reason")
        if reason:
            before = (await run_in_threadpool(visit.desk.open_item, visit.name, visit.item_id)).flag
            # It stands where the note to the organiser does, which is not to be lost.
            reason = reason if before in ("", reason) else f"{before}\n{reason}"[:_LONGEST_NOTE]
        # What was handed in stays.
        with suppress(AlreadyDone):
            await run_in_threadpool(visit.desk.skip, visit.name, visit.item_id, reason)
        return await self._onward(visit)

    async def flag(self, visit: Visit) -> Response:
        """Tell the organiser something; an empty note takes it back."""
        note = await _note(visit, "note")
        await run_in_threadpool(visit.desk.flag, visit.name, visit.item_id, note)
        return review_json({"flag": note}) if visit.by_script else visit.go(f"/items/{visit.item_id}")

    async def _onward(self, visit: Visit) -> Response:
        assigned = await run_in_threadpool(visit.desk.next_item, visit.name)
        path = f"/items/{assigned.item.item_id}" if assigned else "/done"
        return review_json({"next": visit.base + path}) if visit.by_script else visit.go(path)

    async def _page(
        self,
        visit: Visit,
        assigned: Assigned,
        answers: Answers | None = None,
        problems: Mapping[str, str] | None = None,
    ) -> Response:
        reader, item = self._site.reader, assigned.item
        exchange = await reader.run(read_exchange, reader.query, item)
        said = await reader.run(read_said, reader.query, visit.session, visit.reviewer, item, exchange)
        progress = await run_in_threadpool(visit.desk.progress, visit.name)
        own = [one.item_id for one in await run_in_threadpool(visit.desk.history, visit.name)]
        place = own.index(item.item_id) if item.item_id in own else len(own)
        schemas = visit.desk.questions
        return review_page(
            visit.request,
            "item.html",
            visit.language,
            422 if problems else 200,
            base=visit.base,
            here=f"{visit.base}/items/{item.item_id}",
            session=visit.session,
            name=display_name(visit.name),
            decides=visit.decides,
            assigned=assigned,
            item=item,
            exchange=exchange,
            said=said,
            progress=progress,
            questions=questions_of(schemas, assigned.answers if answers is None else answers, problems),
            limits=number_limits,
            work=place_of_work(visit.session.session_id, visit.name),
            lost=assigned.state == RELEASED,
            earlier=own[place - 1] if place > 0 else None,
            later=own[place + 1] if place + 1 < len(own) else None,
        )


async def _sent(visit: Visit) -> Mapping[str, Any]:
    """The JSON object that the page's script sends; a beacon may call it a text."""
    body = bytearray()
    async for chunk in visit.request.stream():
        body += chunk
        if len(body) > _LARGEST:
            return {}
    try:
        found = json.loads(bytes(body) or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


async def _note(visit: Visit, field: str) -> str:
    given = await _sent(visit) if visit.by_script else await visit.request.form()
    said = given.get(field)
    if not isinstance(said, str):
        return ""
    # Neither zero bytes nor half characters can be stored.
    return said.replace("\0", "").encode(errors="ignore").decode().replace("\r\n", "\n").strip()[:_LONGEST_NOTE]


def _seconds(given: Mapping[str, Any]) -> float:
    """With the item in view, as the page counted them; a page that was open for a month says a day."""
    said = given.get("seconds")
    counted = float(said) if isinstance(said, int | float) and not isinstance(said, bool) else 0.0
    return min(counted, _DAY) if counted > 0 else 0.0


def _revision(given: Mapping[str, Any]) -> int | None:
    said = given.get("revision")
    return said if isinstance(said, int) and not isinstance(said, bool) and 0 <= said < 2**53 else None


def _invalid(visit: Visit, problems: Mapping[str, str]) -> Response:
    """What is wrong, by the number of the question."""
    numbers = {schema.name: str(number) for number, schema in enumerate(visit.desk.questions)}
    told = {numbers[name]: text for name, text in problems.items() if name in numbers}
    return review_json({"error": "invalid", "problems": told}, 422)
