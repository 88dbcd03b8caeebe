"""Who may export: a visitor who is signed in, or a script with a key."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from hansei.collector.keys import Role
from hansei.feedback.pages.render import page
from hansei.feedback.pages.visitor import guarded, wants_json
from hansei.feedback.search.errors import SearchError
from hansei.feedback.web.access import AccessDenied, require
from hansei.feedback.web.reader import StoreAway

if TYPE_CHECKING:
    from starlette.requests import Request

    from hansei.feedback.web.site import Site

Handler = Callable[["Request"], Awaitable[Response]]


class NotThere(SearchError):
    """What was asked for by its id does not exist."""


def readable(site: "Site") -> Callable[[Handler], Handler]:
    """A decorator of handlers: only who may read gets there.

    A visitor is told of errors by a page, whoever sends a key in JSON.
    """

    def wrap(handler: Handler) -> Handler:
        @guarded(site, Role.READ)
        async def of_visitor(request: "Request") -> Response:
            try:
                return await handler(request)
            except NotThere as error:
                if wants_json(request):
                    return JSONResponse({"error": str(error)}, 404)
                return page(request, "message.html", 404, title="There is nothing here", text=str(error), link=None)

        async def answer(request: "Request") -> Response:
            if "authorization" not in request.headers:
                return await of_visitor(request)
            try:
                require(site, request, Role.READ)
                return await handler(request)
            except AccessDenied as error:
                return JSONResponse({"error": str(error)}, error.status, error.headers)
            except SearchError as error:
                status = 404 if isinstance(error, NotThere) else 503 if isinstance(error, StoreAway) else 400
                return JSONResponse({"error": str(error)}, status)

        return answer

    return wrap
