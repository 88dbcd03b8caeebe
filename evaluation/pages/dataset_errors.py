"""What cannot be done about datasets, told on a page."""

from functools import wraps

from starlette.requests import Request
from starlette.responses import Response

from hansei.evaluation.errors import EvaluationConflict, EvaluationError, UnknownEvaluation
from hansei.feedback.pages.render import page
from hansei.feedback.pages.visitor import Handler


def told(handler: Handler) -> Handler:
    """A page that says what cannot be done, where the handler does not itself."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except EvaluationError as error:
            status, title = _told(error)
            return page(
                request, "message.html", status, section="Datasets", title=title, text=str(error),
                link=("Datasets", "/datasets"),
            )  # fmt: skip

    return answer


def _told(error: EvaluationError) -> tuple[int, str]:
    if isinstance(error, UnknownEvaluation):
        return 404, "This is not there"
    if isinstance(error, EvaluationConflict):
        return 409, "Not as things are"
    return 400, "This cannot be done"
