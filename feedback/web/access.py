"""Who may ask the API: a key as a bearer token, or whoever is at this machine where no key is asked for."""

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from hansei.collector.direct import host_name, is_direct, is_of_own_site
from hansei.collector.errors import HanseiError
from hansei.collector.key_format import bearer
from hansei.collector.keys import ANYONE, KeyRefused, Principal

if TYPE_CHECKING:
    from starlette.requests import Request

    from hansei.feedback.web.site import Site


class AccessDenied(HanseiError, HTTPException):
    """A request that its sender may not make: 401 without a key that is known, 403 without the right."""

    def __init__(self, status: int, message: str) -> None:
        HTTPException.__init__(self, status, message, {"WWW-Authenticate": "Bearer"} if status == 401 else None)
        self.status, self.message = status, message

    def __str__(self) -> str:
        return self.message


def require(site: "Site", request: "Request", role: str) -> Principal:
    """Who asks the API, who has a role. Raises :class:`AccessDenied`."""
    keys = site.server.keys
    try:
        principal = keys.require(bearer(request.headers.get("authorization")), role)
    except KeyRefused as error:
        raise AccessDenied(error.status, str(error)) from None
    if principal is ANYONE:
        check_direct(request)
        if not is_of_own_site(request.headers.get("sec-fetch-site")):
            raise AccessDenied(403, "without keys, other sites are not answered; make one with `hansei keys create`")
    return principal


def check_direct(request: "Request") -> None:
    """Refuse a request for a name that is not this machine's own. Raises :class:`AccessDenied`."""
    host = request.headers.get("host", "")
    if not is_direct(host):
        raise AccessDenied(
            403,
            f"without keys, localhost is answered, not {host_name(host)!r}; make one with `hansei keys create`, "
            "or set HANSEI_API_KEY",
        )
