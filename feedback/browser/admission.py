"""Who may speak: a token that a service signed, whose key still holds, and that has not ended."""

import time
from collections.abc import Callable
from datetime import datetime, timezone

from hansei.collector.key_format import bearer
from hansei.collector.keys import Keys, Role
from hansei.feedback.api.problem import Problem
from hansei.feedback.tokens import FeedbackToken, InvalidToken, SealedToken


class Admission:
    """Checks the token of a request."""

    def __init__(self, keys: Keys, now: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._now = now

    def token(self, authorization: str | None) -> FeedbackToken:
        """The token in an ``Authorization`` header. Raises :class:`Problem`."""
        given = bearer(authorization)
        if given is None:
            raise _unknown("send the feedback token as a header: Authorization: Bearer TOKEN")
        try:
            sealed = SealedToken.parse(given)
        except InvalidToken as error:
            raise _unknown(str(error)) from None
        self._check_seal(sealed)
        if sealed.token.expires <= self._now():
            end = datetime.fromtimestamp(max(sealed.token.expires, 0), timezone.utc)
            raise _unknown(f"the feedback token expired at {end:%Y-%m-%d %H:%M:%S} UTC; load the page again")
        return sealed.token

    def _check_seal(self, sealed: SealedToken) -> None:
        key_id = sealed.token.key_id
        secret = None if key_id is None else self._keys.token_secret(key_id)
        if secret is None and not self._keys.required:
            # Whoever reaches a collector that asks for no key may say what they like.
            return
        if key_id is None:
            raise _unknown(
                "the feedback token is not signed, which this collector asks for; set HANSEI_API_KEY in the service",
            )
        if secret is None:
            raise _unknown(f"the key {key_id[:40]!r} that signed the feedback token is unknown or revoked")
        if not sealed.is_sealed_with(secret):
            raise _unknown("the feedback token was altered, or signed with another key than the collector has")
        principal = self._keys.describe(key_id)
        if principal is None:
            raise _unknown(f"the key {key_id[:40]!r} that signed the feedback token is unknown or revoked")
        if not principal.may(Role.FEEDBACK):
            raise Problem(403, f"the key {key_id[:40]!r} that signed the feedback token lacks the role {Role.FEEDBACK}")


def _unknown(detail: str) -> Problem:
    return Problem(401, detail, headers={"WWW-Authenticate": "Bearer"})
