"""Feedback tokens: what lets one browser speak about one trace, made by a service and checked by the collector.

Nothing but the standard library: a service makes a token for each of its answers, and asks nobody for it.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from hansei.collector.errors import HanseiError
from hansei.collector.key_format import token_secret_of
from hansei.feedback.errors import InvalidAssessment
from hansei.feedback.ids import span_id_or_none, trace_id_or_none
from hansei.feedback.text import optional_text, required_text

DEFAULT_NAMES: Final = ("helpful", "comment")
"""What may be said with a token that names nothing: a thumb, with its rationale, and a text."""
DEFAULT_LIFETIME: Final = timedelta(hours=24)
ANONYMOUS: Final = "end-user"
"""Who says it where a service names nobody."""

_KEY_VARIABLE: Final = "HANSEI_API_KEY"
_VERSION: Final = "hf1"
_MOST_NAMES: Final = 20
_LONGEST_TEXT: Final = 200
_LONGEST_TOKEN: Final = 16_384
_LAST_SECOND: Final = 253_402_300_799
"""The end of the year 9999."""


class InvalidToken(HanseiError):
    """A feedback token is not one, or not as its service made it."""


@dataclass(frozen=True, slots=True)
class FeedbackToken:
    """What a token allows, until when, and to whom."""

    trace_id: str
    names: tuple[str, ...]
    """The assessments that may be made with it."""
    expires: int
    """Unix seconds."""
    user: str
    """The id of the source, which is HUMAN."""
    visitor: str = ""
    """Tells apart those whom the service did not name; empty for a user that it did."""
    span_id: str | None = None
    session_id: str | None = None
    key_id: str | None = None
    """The id of the key whose secret signs it; None for a token that is not signed."""

    def assessment_id(self, name: str) -> str:
        """The id of what is said under a name: the same for all tokens of one user on one trace or span.

        So a second answer replaces the first, also when the page was rendered again with a new token. It is none of
        the ids that begin with a time.
        """
        said = json.dumps([self.trace_id, self.span_id, self.user, self.visitor, name]).encode()
        return f"b-{hashlib.sha256(said).hexdigest()[:32]}"

    def seal(self, secret: bytes | None) -> str:
        """The token as text, signed unless there is no secret."""
        claims = {
            "t": self.trace_id, "n": self.names, "e": self.expires, "u": self.user, "v": self.visitor,
            "s": self.span_id, "c": self.session_id, "k": self.key_id,
        }  # fmt: skip
        given = {name: value for name, value in claims.items() if value}
        payload = _encode(json.dumps(given, ensure_ascii=False, separators=(",", ":")).encode())
        return f"{_VERSION}.{payload}.{_signature(payload, secret)}"


@dataclass(frozen=True, slots=True)
class SealedToken:
    """A token as it came: nothing of it is to be believed before :meth:`is_sealed_with`."""

    token: FeedbackToken
    payload: str
    signature: str

    @classmethod
    def parse(cls, text: str) -> "SealedToken":
        """Read a token. Raises :class:`InvalidToken`."""
        version, _, rest = text.partition(".")
        payload, separator, signature = rest.partition(".")
        if version != _VERSION or not separator or len(text) > _LONGEST_TOKEN:
            raise InvalidToken("this is not a feedback token; make one in the service with hansei.feedback_token()")
        try:
            return cls(_token_of(json.loads(_decode(payload))), payload, signature)
        except (ValueError, TypeError, KeyError, RecursionError):
            raise InvalidToken("the feedback token is damaged; use it as hansei.feedback_token() made it") from None

    def is_sealed_with(self, secret: bytes | None) -> bool:
        """Whether this secret signed it; None is for a token that nobody did."""
        return hmac.compare_digest(self.signature.encode(), _signature(self.payload, secret).encode())


def feedback_token(
    trace_id: str,
    *,
    names: Sequence[str] | str | None = None,
    expires: float | timedelta | datetime = DEFAULT_LIFETIME,
    span_id: str | None = None,
    session_id: str | None = None,
    user: str | None = None,
    api_key: str | None = None,
) -> str:
    """A token with which a browser may give feedback on this trace, and on no other.

    ``names``: the assessments that may be made, ``helpful`` and ``comment`` if none are given. ``expires``: seconds
    from now, a ``timedelta``, or the ``datetime`` (without a zone: local time) at which it ends; 24 hours. ``span_id``
    makes it speak of a span of the trace, ``session_id`` notes the conversation. ``user``: who speaks, else the user
    of ``hansei.session()``, else ``end-user``; all tokens of one user on one trace change the same assessments, while
    each token without a user has its own.

    It is signed with ``api_key`` (``HANSEI_API_KEY``); without a key it is not signed, and good only for a collector
    that asks for none. It is made here, without the network. Whoever holds it can read it, but not change it.
    Raises ``InvalidAssessment``.
    """
    found_trace = trace_id_or_none(trace_id)
    if found_trace is None:
        raise InvalidAssessment("trace_id: there is none; make the token where a trace is, or has just been")
    source = _short("user", user) if user is not None else _user_of_session()
    key = api_key or os.environ.get(_KEY_VARIABLE)
    key_id, secret = _secret_of(key) if key else (None, None)
    return FeedbackToken(
        trace_id=found_trace,
        names=_names(names),
        expires=_until(expires),
        user=source or ANONYMOUS,
        visitor="" if source else secrets.token_urlsafe(9),
        span_id=span_id_or_none(span_id),
        session_id=optional_text("session_id", session_id),
        key_id=key_id,
    ).seal(secret)


@lru_cache(maxsize=8)
def _secret_of(key: str) -> tuple[str, bytes]:
    return token_secret_of(key)


def _user_of_session() -> str | None:
    # Not needed by who checks tokens.
    from hansei.instrumentation.attributes import USER_ID
    from hansei.instrumentation.session_context import session_attributes

    user = session_attributes().get(USER_ID)
    return user[:_LONGEST_TEXT] if isinstance(user, str) and user else None


def _names(given: Sequence[str] | str | None) -> tuple[str, ...]:
    if given is None:
        return DEFAULT_NAMES
    found = tuple(dict.fromkeys(_short("names", name) for name in ((given,) if isinstance(given, str) else given)))
    if not 1 <= len(found) <= _MOST_NAMES:
        raise InvalidAssessment(f"names: there are {len(found)}; give 1 to {_MOST_NAMES}")
    return found


def _short(argument: str, value: object) -> str:
    text = required_text(argument, value)
    if len(text) > _LONGEST_TEXT:
        raise InvalidAssessment(f"{argument}: {text[:20]!r}… has {len(text)} characters; at most {_LONGEST_TEXT} fit")
    return text


def _until(given: object) -> int:
    if isinstance(given, timedelta):
        given = given.total_seconds()
    try:
        if isinstance(given, datetime):
            end = given.timestamp()
        elif isinstance(given, int | float) and not isinstance(given, bool):
            end = time.time() + given
        else:
            raise InvalidAssessment(f"expires: {given!r} is not seconds, a timedelta or a datetime")
        return min(int(end), _LAST_SECOND)
    except (OverflowError, ValueError) as error:
        if isinstance(error, InvalidAssessment):
            raise
        raise InvalidAssessment(f"expires: {given!r} is no time; give seconds, a timedelta or a datetime") from None


def _token_of(claims: Any) -> FeedbackToken:
    """Raises what indexing and comparing raise, for claims that are none."""
    texts = [claims[name] for name in ("t", "u")] + claims["n"]
    optional = [claims.get(name) for name in ("s", "c", "k")]
    if not all(isinstance(text, str) for text in [*texts, *(text for text in optional if text is not None)]):
        raise TypeError
    if type(claims["e"]) is not int or not isinstance(claims.get("v", ""), str):
        raise TypeError
    return FeedbackToken(
        trace_id=trace_id_or_none(claims["t"]) or "",
        names=tuple(claims["n"]),
        expires=claims["e"],
        user=required_text("user", claims["u"]),
        visitor=claims.get("v", ""),
        span_id=span_id_or_none(optional[0]),
        session_id=optional[1],
        key_id=optional[2],
    )


def _signature(payload: str, secret: bytes | None) -> str:
    if secret is None:
        return ""
    return _encode(hmac.digest(secret, f"{_VERSION}.{payload}".encode(), "sha256"))


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error
