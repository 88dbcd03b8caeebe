"""``/api/v1/feedback``: what a page asks with a feedback token."""

import math
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hansei.feedback.api.problem import Problem, problem_of
from hansei.feedback.browser.admission import Admission
from hansei.feedback.browser.answer import Answer
from hansei.feedback.browser.origins import PREFLIGHT, Origins
from hansei.feedback.browser.rate_limit import RateLimit
from hansei.feedback.browser.testimony import Testimony
from hansei.feedback.errors import InvalidAssessment
from hansei.feedback.tokens import FeedbackToken

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

_ADDRESS_TIMES: Final = 20
"""How many tokens' worth one address may ask: a page has many answers, and a household several people."""


class FeedbackEndpoint:
    """Answers a page; the token alone says who speaks, never a cookie."""

    def __init__(self, site: "Site") -> None:
        settings = site.server.settings
        self._admission = Admission(site.server.keys)
        self._origins = Origins(settings.feedback_origins, site.server.keys)
        self._by_address = RateLimit(settings.feedback_rate, _ADDRESS_TIMES)
        self._by_token = RateLimit(settings.feedback_rate)
        self._testimony = Testimony(site)

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        headers = {"Cache-Control": "no-store"}
        try:
            headers |= self._origins.cors_headers(request)
            response = await self._answer(request)
        except InvalidAssessment as error:
            response = Problem(400, str(error)).response()
        except Exception as error:
            # Also of what nobody expected, so that the page may read the answer.
            response = problem_of(error).response()
        response.headers.update(headers)
        return response

    async def _answer(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=PREFLIGHT)
        self._count(self._by_address, request.client.host if request.client else "")
        token = self._admission.token(request.headers.get("authorization"))
        self._count(self._by_token, token.assessment_id(""))
        if request.method == "POST":
            return await self._say(request, token)
        if request.method == "DELETE":
            name = request.path_params["name"]
            _check_name(token, name)
            await self._testimony.retract(token, name)
            return Response(status_code=204)
        said = await self._testimony.said(token)
        feedback = [
            {"name": name, "value": said[name].value, "rationale": said[name].rationale}
            for name in token.names
            if name in said
        ]
        return JSONResponse(
            {"trace_id": token.trace_id, "names": token.names, "expires": token.expires, "feedback": feedback}
        )

    async def _say(self, request: Request, token: FeedbackToken) -> Response:
        answer = await Answer.read(request)
        if answer.trace_id not in (None, token.trace_id):
            raise Problem(403, f"trace_id: the feedback token is for {token.trace_id}; use that of the other trace")
        _check_name(token, answer.name)
        origin = request.headers.get("origin")
        assessment_id = await self._testimony.say(token, answer, {"origin": origin} if origin else {})
        return JSONResponse(
            {
                "assessment_id": assessment_id,
                "trace_id": token.trace_id,
                "name": answer.name,
                "value": answer.value,
                "rationale": answer.rationale,
            }
        )

    def _count(self, limit: RateLimit, caller: str) -> None:
        seconds = limit.seconds_to_wait(caller)
        if seconds:
            wait = math.ceil(seconds)
            raise Problem.for_now(429, f"too many requests; try again in {wait} s", wait)


def _check_name(token: FeedbackToken, name: str) -> None:
    if name not in token.names:
        raise Problem(
            403, f"name: the feedback token is not for {name[:80]!r}; it is for {', '.join(map(repr, token.names))}"
        )
