"""Before and after the work: what is asked, how far it is, thanks."""

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from hansei.feedback.review.entry import Visit
from hansei.feedback.review.frame import display_name, place_of_work, review_json, review_page
from hansei.feedback.review.questions import questions_of

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site


class StartPages:
    """The pages around the items."""

    def __init__(self, site: "Site") -> None:
        self._site = site

    async def start(self, visit: Visit) -> Response:
        """Who it is, what is asked, and the way to the first item or on."""
        return await self._page(visit, "start.html")

    async def next(self, visit: Visit) -> Response:
        """To the item that is next, or to the thanks."""
        assigned = await run_in_threadpool(visit.desk.next_item, visit.name)
        return visit.go(f"/items/{assigned.item.item_id}" if assigned else "/done")

    async def done(self, visit: Visit) -> Response:
        """Thanks; the page looks for more by itself."""
        return await self._page(visit, "done.html")

    async def progress(self, visit: Visit) -> Response:
        """How many items are done and left, for the page's script."""
        progress = await run_in_threadpool(visit.desk.progress, visit.name)
        return review_json({"done": progress.done, "left": progress.left})

    async def _page(self, visit: Visit, template: str) -> Response:
        progress = await run_in_threadpool(visit.desk.progress, visit.name)
        history = await run_in_threadpool(visit.desk.history, visit.name)
        return review_page(
            visit.request, template, visit.language, base=visit.base, session=visit.session, reviewer=visit.name,
            name=display_name(visit.name), decides=visit.decides, progress=progress, history=history,
            questions=questions_of(visit.desk.questions, {}), work=place_of_work(visit.session.session_id, visit.name),
        )  # fmt: skip
