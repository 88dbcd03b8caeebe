"""A resource: who may do what with it, and how answers and errors are written."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from hansei.collector.keys import Principal
from hansei.feedback.api.json_text import InvalidJson, json_bytes, parsed
from hansei.feedback.api.problem import Problem, problem_of
from hansei.feedback.web.access import check_direct, require

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

PREFIX: Final = "/api/v1"
JSON: Final = "application/json"
LARGEST_BODY: Final = 1024**2
"""Bytes."""


@dataclass(frozen=True)
class Answer:
    """An answer before it is written. A body of bytes is JSON already; None is no body."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """As it is sent."""
        headers = {**self.headers, "Cache-Control": "no-store"}
        if self.body is None:
            return Response(None, self.status, headers)
        body = self.body if isinstance(self.body, bytes) else json_bytes(self.body)
        return Response(body, self.status, headers, media_type=JSON)


@dataclass(frozen=True)
class Operation:
    """What is done on a method."""

    handle: Callable[[Request, Principal | None], Awaitable[Answer]]
    role: str | None
    """The role that it takes; None for one that needs no key, and then knows nobody."""


class Resource:
    """The ASGI application of one path, which answers every method."""

    def __init__(self, site: "Site", operations: Mapping[str, Operation]) -> None:
        self._site = site
        self.operations = operations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        response = await self._response(Request(scope, receive))
        await response(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        try:
            operation = self.operations.get("GET" if request.method == "HEAD" else request.method)
            if operation is None:
                return self._without_operation(request)
            if operation.role is None:
                if not self._site.server.keys.required:
                    check_direct(request)
                return (await operation.handle(request, None)).response()
            principal = require(self._site, request, operation.role)
            return (await operation.handle(request, principal)).response()
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            return problem_of(error).response()

    def _without_operation(self, request: Request) -> Response:
        methods = sorted({*self.operations, "OPTIONS", *(("HEAD",) if "GET" in self.operations else ())})
        allowed = {"Allow": ", ".join(methods)}
        if request.method == "OPTIONS":
            return Response(None, 204, allowed)
        return Problem(
            405, f"{request.method} is not done here; there are {', '.join(methods)}", headers=allowed
        ).response()


def name_of(principal: Principal | None) -> str:
    """Whose key it is; empty where nobody needs one."""
    return principal.name if principal else ""


class Unknown(Route):
    """What is at no other path below the prefix: asked last, whichever routes come after."""

    def __init__(self) -> None:
        async def unknown(request: Request) -> Response:
            return Problem(
                404, f"there is nothing at {request.url.path[:200]!r}; {PREFIX}/openapi.json lists what there is"
            ).response()

        super().__init__(PREFIX + "/{path:path}", unknown, methods=None)
        self.methods = None

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Never more than in part, which any whole match precedes."""
        match, child = super().matches(scope)
        return (Match.PARTIAL if match is Match.FULL else match), child


async def json_body(request: Request, largest: int = LARGEST_BODY) -> Any:
    """The body of a request. Raises :class:`Problem`."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != JSON:
        raise Problem(
            415, f"content-type {content_type[:80]!r} is not taken here; send {JSON}", headers={"Accept": JSON}
        )
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(415, "content-encoding is not taken here; send the JSON as it is")
    pieces, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        # What is too much is read to its end, so that the sender gets to read the answer, and not kept.
        if size <= largest:
            pieces.append(chunk)
        if size > 16 * largest:
            break
    if size > largest:
        raise Problem(413, f"the body is larger than {largest} bytes; send less at a time")
    try:
        return parsed(b"".join(pieces))
    except InvalidJson as error:
        raise Problem(400, f"the body is not JSON as it is taken here: {error}") from None
