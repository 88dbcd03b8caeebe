"""What cannot be done about evaluation, told on a page."""

from collections.abc import Callable
from functools import wraps
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from hansei.evaluation.errors import EvaluationConflict, EvaluationError, UnknownEvaluation
from hansei.feedback.pages.render import page
from hansei.feedback.pages.visitor import Handler

_CANNOT: Final = "This cannot be done"


def _telling(section: str, back: tuple[str, str], unknown: str, conflict: str) -> Callable[[Handler], Handler]:
    """Makes handlers whose errors are told on a page of a section, with a link back and titles by the kind of error."""

    def told(handler: Handler) -> Handler:
        @wraps(handler)
        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except EvaluationError as error:
                status, title = 400, _CANNOT
                if isinstance(error, UnknownEvaluation):
                    status, title = 404, unknown
                elif isinstance(error, EvaluationConflict):
                    status, title = 409, conflict
                return page(request, "message.html", status, section=section, title=title, text=str(error), link=back)

        return answer

    return told


told: Final = _telling("Evaluation", ("All runs", "/evaluation"), "Not found", _CANNOT)
"""Of pages of runs."""
told_of_datasets: Final = _telling("Datasets", ("Datasets", "/datasets"), "This is not there", "Not as things are")
"""Of pages of datasets."""
