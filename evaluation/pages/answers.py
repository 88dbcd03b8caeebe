"""What is wrong with what a page was asked, as a page."""

from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.requests import Request
from starlette.responses import Response

from hansei.evaluation.errors import EvaluationConflict, EvaluationError, UnknownEvaluation
from hansei.feedback.pages.render import page

Handler = Callable[[Request], Awaitable[Response]]


def told(handler: Handler) -> Handler:
    """The handler, whose errors are told on a page."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except EvaluationError as error:
            status = (
                404 if isinstance(error, UnknownEvaluation) else 409 if isinstance(error, EvaluationConflict) else 400
            )
            title = "Not found" if status == 404 else "This cannot be done"
            back = ("All runs", "/evaluation")
            return page(request, "message.html", status, section="Evaluation", title=title, text=str(error), link=back)

    return answer
