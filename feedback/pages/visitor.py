"""Who looks at a page, and what they see when they may not."""

import time
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from hansei.collector.direct import is_of_own_site
from hansei.collector.errors import HanseiError
from hansei.collector.ingest import Refused
from hansei.collector.key_format import bearer
from hansei.collector.keys import ANYONE, Principal, Role, lacks
from hansei.feedback.errors import InvalidAssessment
from hansei.feedback.pages import session
from hansei.feedback.pages.render import HEADERS, page
from hansei.feedback.search.errors import SearchError
from hansei.feedback.web.access import AccessDenied, check_direct
from hansei.feedback.web.reader import StoreAway

if TYPE_CHECKING:
    from starlette.requests import Request

    from hansei.feedback.web.site import Site

Handler = Callable[["Request"], Awaitable[Response]]

_READS = ("GET", "HEAD")


class NotSignedIn(HanseiError, HTTPException):
    """A visitor without a session: sent to the sign-in page, and from there back to where they wanted to go."""

    def __init__(self, request: "Request") -> None:
        self.sign_in = f"/sign-in?next={quote(_address(request), safe='/')}"
        status, headers = (303, {"Location": self.sign_in}) if request.method in _READS else (401, None)
        HTTPException.__init__(self, status, "sign in first: the session has ended, or none was begun", headers)

    def __str__(self) -> str:
        return self.detail


def visitor(site: "Site", request: "Request", role: str = Role.READ) -> Principal:
    """Who looks at a page, who has a role; also in ``request.state.visitor``.

    Raises :class:`NotSignedIn` or :class:`AccessDenied`.
    """
    found = signed_in(site, request)
    if found is None:
        raise NotSignedIn(request)
    request.state.visitor = found
    if found is ANYONE:
        check_direct(request)
        is_link = request.method in _READS and request.headers.get("sec-fetch-mode") == "navigate"
        if not is_link and not is_of_own_site(request.headers.get("sec-fetch-site")):
            raise AccessDenied(403, "other sites are not answered")
    if not found.may(role):
        raise AccessDenied(403, lacks(found, role))
    return found


def signed_in(site: "Site", request: "Request") -> Principal | None:
    """Whose session this is (or, for a script, whose bearer token); None where somebody must sign in first."""
    keys = site.server.keys
    if not keys.required:
        return ANYONE
    key = bearer(request.headers.get("authorization"))
    if key is not None:
        return keys.principal(key)
    return session.holder(keys, request.cookies.get(session.COOKIE, ""), time.time())


def same_origin(request: "Request") -> None:
    """Refuse a form or script of another site that uses the visitor's session. Raises :class:`AccessDenied`."""
    fetch_site = request.headers.get("sec-fetch-site")
    if fetch_site is None:
        origin = request.headers.get("origin")
        own = origin is not None and urlsplit(origin).netloc == request.headers.get("host")
    else:
        own = fetch_site == "same-origin"
    if not own:
        raise AccessDenied(403, "this was not sent by a page of this site; open the page here and try again")


def guarded(site: "Site", role: str = Role.READ) -> Callable[[Handler], Handler]:
    """A decorator of pages: only whoever has the role gets there, and ``request.state.visitor`` is who it is.

    What a page raises of what people can mend becomes a page that says so, or JSON for a script that asks for it.
    """

    def wrap(handler: Handler) -> Handler:
        @wraps(handler)
        async def answer(request: "Request") -> Response:
            try:
                if request.method not in _READS:
                    same_origin(request)
                visitor(site, request, role)
                return await handler(request)
            except (NotSignedIn, AccessDenied, SearchError, Refused, InvalidAssessment) as error:
                return failure(request, error)

        return answer

    return wrap


def failure(request: "Request", error: HanseiError) -> Response:
    """The answer that tells a visitor of an error."""
    status, title = _told(error)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Refused) else {}
    if wants_json(request):
        kept = {name: HEADERS[name] for name in ("Cache-Control", "X-Content-Type-Options")}
        return JSONResponse({"error": str(error)}, status, kept | headers)
    link = None
    if isinstance(error, NotSignedIn):
        if request.method in _READS:
            return RedirectResponse(error.sign_in, 303, HEADERS)
        link = ("Sign in", "/sign-in")
    elif isinstance(error, AccessDenied) and getattr(request.state, "visitor", ANYONE) is not ANYONE:
        link = ("Sign in with another key", f"/sign-in?next={quote(_address(request), safe='/')}")
    answer = page(request, "message.html", status, title=title, text=str(error).partition("\n")[0], link=link)
    answer.headers.update(headers)
    return answer


def wants_json(request: "Request") -> bool:
    """Whether a script asks, which reads no pages."""
    accepts = request.headers.get("accept", "")
    return "application/json" in accepts or request.headers.get("x-requested-with") == "fetch"


def _told(error: HanseiError) -> tuple[int, str]:
    """The status and the title of an error."""
    if isinstance(error, NotSignedIn):
        return 401, "Sign in first"
    if isinstance(error, AccessDenied):
        return error.status, "Not allowed"
    if isinstance(error, StoreAway):
        return 503, "The store is away"
    if isinstance(error, Refused):
        return 429 if error.overloaded else 503, "Not taken"
    return 400, "This cannot be done"


def _address(request: "Request") -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
