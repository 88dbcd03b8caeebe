"""Which tokens a collector takes."""

import time
from collections.abc import Mapping

import pytest

from hansei.collector.key_format import digest_of, key_id_in, new_key
from hansei.collector.keys import Keys, Principal, Role, StoredKey
from hansei.feedback.api.problem import Problem
from hansei.feedback.browser.admission import Admission
from hansei.feedback.tokens import feedback_token

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(autouse=True)
def _no_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HANSEI_API_KEY", raising=False)


class Created:
    """Keys that were created."""

    def __init__(self, *keys: StoredKey) -> None:
        self._keys = {key.key_id: key for key in keys}

    def current(self) -> Mapping[str, StoredKey]:
        """All of them."""
        return self._keys

    def exist(self) -> bool:
        """Whether there are any."""
        return bool(self._keys)


def stored(key: str, role: str = Role.FEEDBACK, revoked: int | None = None, expires: int | None = None) -> StoredKey:
    return StoredKey(Principal(key_id_in(key) or "", "shop", frozenset({role})), digest_of(key), 0, expires, revoked)


def told(keys: Keys, token: str | None, now: float | None = None) -> str:
    """What the holder of a token is told; nothing where it is taken."""
    admission = Admission(keys) if now is None else Admission(keys, lambda: now)
    try:
        assert admission.token(None if token is None else f"Bearer {token}").trace_id == TRACE
    except Problem as problem:
        return f"{problem.status} {problem}"
    return ""


def test_keys_of_the_environment() -> None:
    """A collector with a key takes what that key signed, and nothing else."""
    keys = Keys("ours", "admin")
    signed = feedback_token(TRACE, api_key="ours")
    assert told(keys, signed) == ""
    assert told(keys, feedback_token(TRACE, api_key="theirs")) == (
        "401 the feedback token was altered, or signed with another key than the collector has"
    )
    unsigned = "401 the feedback token is not signed, which this collector asks for; set HANSEI_API_KEY in the service"
    assert told(keys, feedback_token(TRACE)) == unsigned
    assert told(keys, None) == "401 send the feedback token as a header: Authorization: Bearer TOKEN"
    assert told(keys, "ours") == (
        "401 this is not a feedback token; make one in the service with hansei.feedback_token()"
    )


def test_created_keys() -> None:
    """A created key signs while it holds and has the role."""
    key_id, key = new_key()
    token = feedback_token(TRACE, api_key=key)
    gone = f"401 the key '{key_id}' that signed the feedback token is unknown or revoked"
    assert told(Keys(None, None, Created(stored(key))), token) == ""
    assert told(Keys(None, None, Created(stored(key, revoked=1))), token) == gone
    assert told(Keys(None, None, Created(stored(key, expires=1))), token) == gone
    assert told(Keys(None, None, Created(stored(new_key()[1]))), token) == gone
    assert told(Keys(None, None, Created(stored(key, Role.INGEST))), token) == (
        f"403 the key '{key_id}' that signed the feedback token lacks the role feedback"
    )


def test_no_keys() -> None:
    """A collector that asks for no key takes every token, signed or not."""
    keys = Keys(None, None)
    assert [told(keys, feedback_token(TRACE)), told(keys, feedback_token(TRACE, api_key="theirs"))] == ["", ""]


@pytest.mark.parametrize(("now", "said"), [(1893455999, ""), (1893456000, "expired at 2030-01-01 00:00:00 UTC")])
def test_end(now: float, said: str) -> None:
    """A token is taken until the second at which it ends."""
    token = feedback_token(TRACE, expires=1893456000.5 - time.time(), api_key="ours")
    assert said in (found := told(Keys("ours", None), token, now))
    assert bool(found) is bool(said)
