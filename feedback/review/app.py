"""The review app's routes."""

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute, Mount, Route

from hansei.feedback.review.assets import review_files
from hansei.feedback.review.entry import Entry
from hansei.feedback.review.item_page import ItemPages
from hansei.feedback.review.start_page import StartPages

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site


def review_routes(site: "Site") -> list[BaseRoute]:
    """The routes of this package. The link is in the path of each, and is all that lets somebody in."""
    entry = Entry(site)
    start, items = StartPages(site), ItemPages(site)
    at, item = "/review/{token}", "/review/{token}/items/{item_id}"
    return [
        Mount("/review/static", review_files()),
        Route(at, entry.read(start.start)),
        Route(f"{at}/next", entry.read(start.next)),
        Route(f"{at}/done", entry.read(start.done)),
        Route(f"{at}/progress", entry.read(start.progress)),
        Route(item, entry.read(items.item)),
        Route(f"{item}/draft", entry.write(items.draft), methods=["POST"]),
        Route(f"{item}/heartbeat", entry.write(items.heartbeat), methods=["POST"]),
        Route(f"{item}/submit", entry.write(items.submit), methods=["POST"]),
        Route(f"{item}/skip", entry.write(items.skip), methods=["POST"]),
        Route(f"{item}/flag", entry.write(items.flag), methods=["POST"]),
    ]
