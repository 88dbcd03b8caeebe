"""A visitor's session: a cookie that names the key it began with, signed with a secret of that key.

No server keeps anything of it: every collector that knows the key knows the session, and it ends with the key.
"""

import hmac
from typing import TYPE_CHECKING, Final

from hansei.collector.key_format import SESSION
from hansei.collector.keys import Keys, Principal

if TYPE_CHECKING:
    from starlette.requests import Request

COOKIE: Final = "hansei_session"
SECONDS: Final = 12 * 3600
"""How long a session lasts."""


def begin(keys: Keys, principal: Principal, now: float) -> str:
    """The cookie's value for a session that begins ``now`` (seconds of the epoch)."""
    said = f"{principal.key_id}.{int(now) + SECONDS}"
    return f"{said}.{_signature(keys, principal.key_id, said)}"


def holder(keys: Keys, cookie: str, now: float) -> Principal | None:
    """Whose session a cookie's value is; None for one that has ended or was never begun."""
    said, _, signature = cookie.rpartition(".")
    key_id, _, end = said.rpartition(".")
    expected = _signature(keys, key_id, said)
    if expected is None or not hmac.compare_digest(expected.encode(), signature.encode(errors="surrogateescape")):
        return None
    return keys.describe(key_id) if now < int(end) else None


def is_https(request: "Request") -> bool:
    """Whether the browser asked by https, be it of a proxy in front."""
    forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip()
    return "https" in (request.url.scheme, forwarded)


def _signature(keys: Keys, key_id: str, said: str) -> str | None:
    secret = keys.secret(key_id, SESSION)
    return hmac.new(secret, said.encode(), "sha256").hexdigest() if secret is not None else None
