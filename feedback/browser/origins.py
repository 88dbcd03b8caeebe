"""Whose pages may send feedback."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

from hansei.collector.direct import host_name, is_direct
from hansei.collector.keys import Keys
from hansei.feedback.api.problem import Problem

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_EXPOSED: Final = "Retry-After"
PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "authorization, content-type",
    "Access-Control-Max-Age": "3600",
}
"""What a browser may be told before it asks in earnest. Cookies are not among it: they say nothing here."""


@dataclass(frozen=True)
class Origins:
    """The origins whose pages are answered, beside the collector's own."""

    allowed: frozenset[str] | None
    """``*`` among them stands for all."""
    keys: Keys
    """While none is asked for, pages of this machine are answered if no others are named, under its own names alone."""

    def cors_headers(self, request: Request) -> dict[str, str]:
        """What lets the page of a request read the answer; none for who is no page. Raises ``Problem``."""
        host = request.headers.get("host", "")
        if not self.keys.required and not is_direct(host):
            raise Problem(403, f"without keys, localhost is answered, not {host_name(host)!r}; set HANSEI_API_KEY")
        origin = request.headers.get("origin")
        if origin is None:
            return {"Vary": "Origin"}
        if not self._allows(origin, host):
            raise Problem(
                403,
                f"pages of {origin[:200]} may not send feedback; name it in the collector's --feedback-origins",
                headers={"Vary": "Origin"},
            )
        return {"Vary": "Origin", "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _EXPOSED}

    def _allows(self, origin: str, host: str) -> bool:
        if self.allowed is not None and ("*" in self.allowed or origin.lower() in self.allowed):
            return True
        try:
            parts = urlsplit(origin)
            # By the host alone: a proxy in front may speak another scheme.
            if parts.netloc and parts.netloc.lower() == host.lower():
                return True
            return self.allowed is None and not self.keys.required and parts.hostname in _LOOPBACK
        except ValueError:
            return False
