"""What is answered where something cannot be done: problem details (RFC 9457)."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import Response

from hansei.collector.errors import HanseiError, StoreError
from hansei.collector.ingest import Refused
from hansei.feedback.api.json_text import json_bytes
from hansei.feedback.errors import InvalidAssessment
from hansei.feedback.search.errors import FilterError, InvalidSearch, SearchError
from hansei.feedback.web.access import AccessDenied
from hansei.feedback.web.reader import StoreAway

log = logging.getLogger("hansei.api")

Mistake = Mapping[str, Any]
"""One mistake: ``pointer`` (RFC 6901, into the body) or ``parameter`` (of the query), and ``detail``."""

RETRY_STORE: Final = 2
"""Seconds after which to ask again where the store does not answer."""


class Problem(HanseiError):
    """A request that cannot be done; the text says what was wrong and what to do."""

    def __init__(
        self, status: int, detail: str, *, errors: Sequence[Mistake] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.errors = tuple(errors)
        self.headers = dict(headers or {})

    @classmethod
    def for_now(cls, status: int, detail: str, seconds: int) -> "Problem":
        """One that passes: the same request may be sent again after so many seconds."""
        return cls(status, detail, headers={"Retry-After": str(seconds)})

    @classmethod
    def of_parameter(cls, name: str, detail: str, **more: object) -> "Problem":
        """A mistake in the query of the address."""
        return cls(400, f"{name}: {detail}", errors=[{"parameter": name, "detail": detail, **more}])

    @classmethod
    def of_line(cls, text: str, *, in_body: bool) -> "Problem":
        """A mistake in a line that begins with the argument's name, as those of our errors do; or without one."""
        name, separator, detail = text.partition(": ")
        if not separator or " " in name:
            return cls(422 if in_body else 400, text)
        if in_body:
            return cls.of_body([{"pointer": "/" + name.replace(".", "/"), "detail": detail}])
        return cls.of_parameter(name, detail)

    @classmethod
    def of_body(cls, errors: Sequence[Mistake]) -> "Problem":
        """Mistakes in a body that is JSON."""
        first = errors[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        return cls(422, f"{first['pointer'] or 'the body'}: {first['detail']}{more}", errors=errors)

    def response(self) -> Response:
        """The answer."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": str(self),
        }
        if self.errors:
            body["errors"] = self.errors
        headers = {**self.headers, "Cache-Control": "no-store"}
        return Response(json_bytes(body), self.status, headers, media_type="application/problem+json")


def problem_of(error: Exception) -> Problem:
    """What an error means to who asked; one that nobody expected is logged, and says nothing of itself."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, AccessDenied):
        return Problem(error.status, error.message, headers=error.headers)
    if isinstance(error, Refused):
        return Problem.for_now(429 if error.overloaded else 503, str(error), error.retry_after)
    if isinstance(error, InvalidAssessment):
        return Problem(422, str(error))
    if isinstance(error, FilterError):
        return Problem.of_parameter("filter", error.problem, position=error.position)
    if isinstance(error, InvalidSearch):
        name, separator, detail = str(error).partition(": ")
        return Problem.of_parameter(name, detail) if separator else Problem(400, str(error))
    if isinstance(error, SearchError) and _refused_by_engine(error):
        return Problem(422, str(error))
    if isinstance(error, SearchError | StoreAway | StoreError):
        return Problem.for_now(503, str(error), RETRY_STORE)
    log.error("a request of the API failed", exc_info=error)
    return Problem(500, "something went wrong here; the server's log says what")


def _refused_by_engine(error: SearchError) -> bool:
    """Whether ClickHouse answered, and refused: a filter that takes too long, a regular expression that is none."""
    return getattr(error.__cause__, "code", None) is not None
