"""Signing in with a key, and out again."""

import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from hansei.collector.keys import Role
from hansei.feedback.pages import session
from hansei.feedback.pages.attempts import WrongAttempts
from hansei.feedback.pages.render import HEADERS, page
from hansei.feedback.pages.visitor import failure, same_origin, signed_in
from hansei.feedback.web.access import AccessDenied

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

_LONGEST_FORM = 4096


def sign_in_routes(site: "Site") -> list[BaseRoute]:
    """Its routes."""
    keys = site.server.keys
    attempts = WrongAttempts()

    async def show(request: Request) -> Response:
        if not keys.required:
            return RedirectResponse(local_path(request.query_params.get("next", "/")), 303, HEADERS)
        visitor = signed_in(site, request)
        if visitor is not None:
            request.state.visitor = visitor
        return _form(request)

    async def sign_in(request: Request) -> Response:
        try:
            same_origin(request)
        except AccessDenied as error:
            return failure(request, error)
        address, now = request.client.host if request.client else "", time.time()
        wait = attempts.seconds_to_wait(address, now)
        if wait:
            answer = _form(request, 429, f"There were too many wrong keys; try again in {wait} s.")
            answer.headers["Retry-After"] = str(wait)
            return answer
        holder = keys.holder(await _key(request))
        if holder is None:
            attempts.note(address, now)
            return _form(request, 403, "This key is not known here, or has expired or been revoked.")
        if not (holder.may(Role.READ) or holder.may(Role.REVIEW)):
            roles = ", ".join(sorted(holder.roles))
            return _form(
                request, 403, f"The key {holder.name} has the role {roles}. Pages need a key with read or review."
            )
        answer = RedirectResponse(local_path(request.query_params.get("next", "/")), 303, HEADERS)
        answer.set_cookie(
            session.COOKIE, session.begin(keys, holder, now), max_age=session.SECONDS,
            httponly=True, samesite="lax", secure=session.is_https(request),
        )  # fmt: skip
        return answer

    async def sign_out(request: Request) -> Response:
        try:
            same_origin(request)
        except AccessDenied as error:
            return failure(request, error)
        answer = RedirectResponse("/sign-in", 303, HEADERS)
        answer.delete_cookie(
            session.COOKIE, httponly=True, samesite="lax", secure=session.is_https(request)
        )  # fmt: skip
        return answer

    return [
        Route("/sign-in", show),
        Route("/sign-in", sign_in, methods=["POST"]),
        Route("/sign-out", sign_out, methods=["POST"]),
    ]


def local_path(address: str) -> str:
    """The address if it is a path of ours, else the home page: ``//host`` and ``/\\host`` would be another's."""
    is_ours = address.startswith("/") and address[1:2] not in ("/", "\\") and address.isprintable()
    return address if is_ours else "/"


async def _key(request: Request) -> str:
    """The key of the form; empty where there is none, or more than a form."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM:
            return ""
    return parse_qs(body.decode(errors="replace")).get("key", [""])[0].strip()


def _form(request: Request, status: int = 200, problem: str = "") -> Response:
    shown = local_path(request.query_params.get("next", "/"))
    return page(request, "sign_in.html", status, next=shown, problem=problem)
