"""Feedback tokens: what they say, how they are signed, and what is refused."""

import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import hansei
from hansei.collector.key_format import token_secret_of
from hansei.feedback.errors import InvalidAssessment
from hansei.feedback.tokens import FeedbackToken, InvalidToken, SealedToken, feedback_token

from ..collector.processes import clean_environment  # noqa: TID252

TRACE = "0af7651916cd43dd8448eb211c80319c"
KEY = "a long random text"
KEY_ID, SECRET = token_secret_of(KEY)


def opened(text: str) -> FeedbackToken:
    return SealedToken.parse(text).token


def test_what_it_says() -> None:
    """A token carries what it was made for, and the key that signed it."""
    until = datetime(2030, 1, 1, tzinfo=timezone.utc)
    text = feedback_token(
        TRACE.upper(), names=["helpful", "tone", "helpful"], expires=until, span_id="b7ad6b7169203331",
        session_id="s-1", user="ana", api_key=KEY,
    )  # fmt: skip
    expected = FeedbackToken(
        TRACE, ("helpful", "tone"), 1893456000, "ana", "", "b7ad6b7169203331", "s-1", key_id=KEY_ID
    )
    sealed = SealedToken.parse(text)
    assert (sealed.token, sealed.is_sealed_with(SECRET)) == (expected, True)


def test_without_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without arguments it lasts a day, for a thumb and a comment, of a visitor that no other token has."""
    monkeypatch.delenv("HANSEI_API_KEY", raising=False)
    first, second = opened(feedback_token(TRACE)), opened(feedback_token(TRACE))
    assert (first.names, first.user, first.key_id, first.span_id) == (("helpful", "comment"), "end-user", None, None)
    assert abs(first.expires - time.time() - 86400) < 60
    assert first.assessment_id("helpful") != second.assessment_id("helpful")


def test_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of the environment signs; one that is given goes over it; without one nothing does."""
    monkeypatch.setenv("HANSEI_API_KEY", KEY)
    assert SealedToken.parse(feedback_token(TRACE)).is_sealed_with(SECRET)
    assert not SealedToken.parse(feedback_token(TRACE, api_key="another")).is_sealed_with(SECRET)
    monkeypatch.delenv("HANSEI_API_KEY")
    unsigned = SealedToken.parse(feedback_token(TRACE))
    assert (unsigned.is_sealed_with(None), unsigned.is_sealed_with(SECRET)) == (True, False)


def test_user_of_the_session() -> None:
    """Inside ``session()`` the user is that of the session, unless another is given."""
    with hansei.session("s-1", user="ben"):
        assert opened(feedback_token(TRACE, api_key=KEY)).user == "ben"
        assert opened(feedback_token(TRACE, user="ana", api_key=KEY)).user == "ana"


def test_whose_assessment() -> None:
    """The same for every token of a user on a trace; another for another name, user, trace or span."""
    made = [
        opened(feedback_token(trace, user=user, span_id=span, api_key=KEY)).assessment_id(name)
        for trace, user, span, name in [
            (TRACE, "ana", None, "helpful"),
            (TRACE, "ana", None, "comment"),
            (TRACE, "ben", None, "helpful"),
            (TRACE[::-1], "ana", None, "helpful"),
            (TRACE, "ana", "b7ad6b7169203331", "helpful"),
        ]
    ]
    assert len(set(made)) == 5
    again = opened(feedback_token(TRACE, user="ana", names="helpful", expires=5, api_key="another key"))
    assert again.assessment_id("helpful") == made[0]


def test_kinds_of_end() -> None:
    """Seconds, a duration and a moment, with a zone or in local time, say when it ends."""
    before = time.time()
    moments = datetime.fromtimestamp(before + 600), datetime.fromtimestamp(before + 600, timezone.utc)
    for expires in (600, 600.5, timedelta(minutes=10), *moments):
        assert abs(opened(feedback_token(TRACE, expires=expires, api_key=KEY)).expires - before - 600) < 60


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"trace_id": None}, "trace_id: there is none; make the token where a trace is, or has just been"),
        ({"trace_id": "abc"}, "trace_id: 'abc' is not 32 hexadecimal digits, as OpenTelemetry writes it"),
        ({"span_id": "x"}, "span_id: 'x' is not 16 hexadecimal digits, as OpenTelemetry writes it"),
        ({"names": []}, "names: there are 0; give 1 to 20"),
        ({"names": [""]}, "names: '' is empty; give a string with something in it"),
        ({"names": [f"n{number}" for number in range(21)]}, "names: there are 21; give 1 to 20"),
        ({"user": "u" * 201}, "user: 'uuuuuuuuuuuuuuuuuuuu'… has 201 characters; at most 200 fit"),
        ({"user": ""}, "user: '' is empty; give a string with something in it"),
        ({"expires": "soon"}, "expires: 'soon' is not seconds, a timedelta or a datetime"),
        ({"expires": float("nan")}, "expires: nan is no time; give seconds, a timedelta or a datetime"),
    ],
)
def test_mistakes(given: dict[str, Any], told: str) -> None:
    """What cannot be meant is told by its name."""
    with pytest.raises(InvalidAssessment) as caught:
        feedback_token(**{"trace_id": TRACE, "api_key": KEY, **given})
    assert str(caught.value) == told


def test_altered() -> None:
    """Whichever character is changed: it is no token any more, or not one that the key signed."""
    text = feedback_token(TRACE, user="ana", api_key=KEY)
    for place, character in enumerate(text):
        changed = text[:place] + ("A" if character != "A" else "B") + text[place + 1 :]
        try:
            sealed = SealedToken.parse(changed)
        except InvalidToken:
            continue
        assert not sealed.is_sealed_with(SECRET)
    payload = SealedToken.parse(text).payload
    assert not SealedToken.parse(f"hf1.{payload}.").is_sealed_with(SECRET)
    with pytest.raises(InvalidToken):
        SealedToken.parse(f"hf1.{payload}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hf1",
        "hf2.e30.",
        "hf1.e30.",
        "hf1.bnVsbA.",
        "hf1.W10.",
        "hf1.%%.",
        "hf1.4pyT.",
        f"hf1.{'A' * 20_000}.",
        "key",
    ],
)
def test_no_token(text: str) -> None:
    """Anything else is refused in one line."""
    with pytest.raises(InvalidToken, match="feedback token"):
        SealedToken.parse(text)


def test_light() -> None:
    """A service makes tokens without any part of the server, and without a model client."""
    program = (
        f"import hansei, sys; hansei.feedback_token('{TRACE}', user='ana'); hansei.feedback_token('{TRACE}');"
        "heavy = ('chdb', 'clickhouse_connect', 'starlette', 'uvicorn', 'prometheus_client', 'openai', 'grpc');"
        "print([name for name in sys.modules if name.partition('.')[0] in heavy])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=clean_environment({}),
        timeout=60,
        check=True,
    )
    assert done.stdout == "[]\n"
