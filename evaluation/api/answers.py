"""What is wrong with an evaluation, said as a problem."""

from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.requests import Request

from hansei.collector.keys import Principal
from hansei.evaluation.errors import EvaluationConflict, EvaluationError, UnknownEvaluation
from hansei.feedback.api.problem import Problem
from hansei.feedback.api.resource import Answer

Handle = Callable[[Request, Principal | None], Awaitable[Answer]]


def told(handle: Handle) -> Handle:
    """The handler, whose errors are answered as problems."""

    @wraps(handle)
    async def answer(request: Request, principal: Principal | None) -> Answer:
        try:
            return await handle(request, principal)
        except EvaluationError as error:
            raise problem_of_evaluation(error, in_body=request.method != "GET") from error

    return answer


def problem_of_evaluation(error: EvaluationError, *, in_body: bool) -> Problem:
    """What an error means to who asked."""
    text = str(error)
    if isinstance(error, UnknownEvaluation):
        return Problem(404, text)
    if isinstance(error, EvaluationConflict):
        return Problem(409, text)
    return Problem.of_line(text, in_body=in_body)
