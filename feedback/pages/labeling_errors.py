"""What cannot be done about labeling, told on a page."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from hansei.feedback.labeling.errors import LabelingConflict, LabelingError, UnknownLabeling
from hansei.feedback.pages.render import HEADERS, page
from hansei.feedback.pages.visitor import wants_json

if TYPE_CHECKING:
    from starlette.requests import Request

Handler = Callable[["Request"], Awaitable[Response]]


def told(handler: Handler) -> Handler:
    """A page that says what cannot be done, where the handler does not itself."""

    @wraps(handler)
    async def answer(request: "Request") -> Response:
        try:
            return await handler(request)
        except LabelingError as error:
            status, title = _told(error)
            if wants_json(request):
                return JSONResponse({"error": str(error)}, status, {"Cache-Control": HEADERS["Cache-Control"]})
            return page(
                request, "message.html", status, section="Labeling", title=title, text=str(error).partition("\n")[0],
                link=("Labeling", "/labeling"),
            )  # fmt: skip

    return answer


def _told(error: LabelingError) -> tuple[int, str]:
    if isinstance(error, UnknownLabeling):
        return 404, "This is not there"
    if isinstance(error, LabelingConflict):
        return 409, "Not as things are"
    return 400, "This cannot be done"
