"""Whose pages are answered, how often, and with how much."""

from typing import Any

import pytest
from starlette.requests import Request

from hansei.collector.errors import ConfigurationError
from hansei.collector.keys import Keys
from hansei.collector.setting_values import Rate, parse_origins, parse_rate
from hansei.feedback.api.problem import Problem
from hansei.feedback.browser.answer import Answer
from hansei.feedback.browser.origins import Origins
from hansei.feedback.browser.rate_limit import RateLimit
from hansei.feedback.browser.said import Said, SaidLately

HOST = "hansei.example.com"
LOCAL = "127.0.0.1:8600"


def answered(allowed: str | None, key: str | None, host: str, origin: str | None) -> bool:
    headers = [(b"host", host.encode()), *([(b"origin", origin.encode())] if origin else [])]
    origins = Origins(None if allowed is None else parse_origins("feedback_origins", allowed), Keys(key, None))
    try:
        found = origins.cors_headers(Request({"type": "http", "headers": headers}))
    except Problem as problem:
        return problem.status != 403
    assert found["Vary"] == "Origin"
    assert found.get("Access-Control-Allow-Origin") == origin
    return True


@pytest.mark.parametrize(
    ("allowed", "key", "host", "origin", "expected"),
    [
        (None, "k", HOST, None, True),
        (None, "k", HOST, f"https://{HOST}", True),
        (None, "k", HOST, "https://chat.example.com", False),
        (None, "k", LOCAL, "http://localhost:3000", False),
        ("https://chat.example.com", "k", HOST, "https://chat.example.com", True),
        ("https://chat.example.com", "k", HOST, "https://chat.example.com:8443", False),
        ("https://chat.example.com", "k", HOST, "http://chat.example.com", False),
        ("https://chat.example.com", "k", HOST, "https://chat.example.com.evil.example", False),
        ("https://chat.example.com", "k", HOST, "null", False),
        ("https://chat.example.com", None, LOCAL, "http://localhost:3000", False),
        ("*", "k", HOST, "https://anything.example", True),
        (None, None, LOCAL, "http://localhost:3000", True),
        (None, None, LOCAL, "http://127.0.0.1:8020", True),
        (None, None, LOCAL, "http://[::1]:8020", True),
        (None, None, LOCAL, "http://[", False),
        (None, None, LOCAL, "http://localhost.evil.example", False),
        (None, None, LOCAL, "https://evil.example", False),
        # A name of the page's own that leads to this machine.
        (None, None, "evil.example:8600", "http://evil.example:8600", False),
    ],
)
def test_origins(allowed: str | None, key: str | None, host: str, origin: str | None, expected: bool) -> None:
    """Named origins are answered, and this one; pages of this machine while neither keys nor origins are named."""
    assert answered(allowed, key, host, origin) is expected


def test_rate() -> None:
    """A caller has so many requests at once, and gets them back with time; others are not concerned."""
    now = [0.0]
    limit = RateLimit(Rate(3, 60.0), clock=lambda: now[0])
    assert [limit.seconds_to_wait("a") for _ in range(4)] == [0, 0, 0, 20]
    assert limit.seconds_to_wait("b") == 0
    now[0] = 15
    assert limit.seconds_to_wait("a") == 5
    now[0] = 20
    assert [limit.seconds_to_wait("a") for _ in range(2)] == [0, 20]
    now[0] = 1000
    assert [limit.seconds_to_wait("a") for _ in range(4)] == [0, 0, 0, 20]
    assert [RateLimit(None).seconds_to_wait("a") for _ in range(99)] == [0] * 99


def test_rate_is_bounded() -> None:
    """However many callers come, no more than so many are remembered: those who came last."""
    limit = RateLimit(Rate(1, 60.0), clock=lambda: 0.0, most_kept=2)
    assert [limit.seconds_to_wait(caller) for caller in "abacb"] == [0, 0, 60, 0, 0]


def test_memory() -> None:
    """Of what was written and read the later holds, and no more than so much is kept."""
    lately = SaidLately(most_kept=2)
    lately.keep("a", Said(2, True, None))
    assert lately.keep("a", Said(1, False, None)) == Said(2, True, None)
    assert lately.keep("a", Said(2, True, "[redacted]")).rationale == "[redacted]"
    assert lately.keep("a", Said(3, None, None, retracted=True)).retracted
    lately.keep("b", Said(1, True, None))
    lately.keep("c", Said(1, True, None))
    assert [lately.get(key) is not None for key in "abc"] == [False, True, True]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"name": "helpful", "value": true}', Answer("helpful", True, None, None)),
        (b'{"name": "stars", "value": 4, "rationale": ""}', Answer("stars", 4, None, None)),
        (b'{"name": "a", "value": 0.5, "rationale": "why"}', Answer("a", 0.5, "why", None)),
        ('{"name": "a", "value": "\\ud83d ok é", "trace_id": "AB"}'.encode(), Answer("a", "? ok é", None, "ab")),
        (b"", 'the body is not JSON; send {"name": "helpful", "value": true}'),
        (b"[" * 16000, 'the body is not JSON; send {"name": "helpful", "value": true}'),
        (b'{"name": "a", "value": NaN}', 'the body is not JSON; send {"name": "helpful", "value": true}'),
        (b"[1]", 'the body is not a JSON object; send {"name": "helpful", "value": true}'),
        (b'{"value": true}', "name: there is none; send what is assessed, such as helpful"),
        (b'{"name": 5, "value": true}', "name: it is not a text"),
        (b'{"name": "a", "valeu": true}', "'valeu' is not taken; there are name, value, rationale, trace_id"),
        (b'{"name": "a"}', "value: send true, false, a number or a text; DELETE takes it back"),
        (b'{"name": "a", "value": []}', "value: send true, false, a number or a text; DELETE takes it back"),
        (b'{"name": "a", "value": ""}', "value: send true, false, a number or a text; DELETE takes it back"),
        (b'{"name": "a", "value": 1e999}', "value: the number is too large"),
        (b'{"name": "a", "value": 1' + b"0" * 400 + b"}", "value: the number is too large"),
        (b'{"name": "a", "value": "' + b"x" * 501 + b'"}',
         "value: it has 501 characters; at most 500 are taken, and more as the rationale"),
        (b'{"name": "a", "value": 1, "rationale": "' + b"x" * 5001 + b'"}',
         "rationale: it has 5001 characters; at most 5000 are taken"),
    ],
    ids=range(18),
)  # fmt: skip
def test_bodies(body: bytes, expected: Any) -> None:
    """A body is an answer, or is refused in one line."""
    if isinstance(expected, Answer):
        assert Answer.parse(body) == expected
        return
    with pytest.raises(Problem) as caught:
        Answer.parse(body)
    assert (caught.value.status, str(caught.value)) == (400, expected)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("30/m", Rate(30, 60)),
        ("5/s", Rate(5, 1)),
        ("100 / 10m", Rate(100, 600)),
        ("1/500ms", Rate(1, 0.5)),
        ("0", None),
    ],
)
def test_rates(text: str, rate: Rate | None) -> None:
    """A number in a duration, or 0 for no limit."""
    assert parse_rate("feedback_rate", text) == rate


@pytest.mark.parametrize("text", ["", "30", "30/", "0/m", "-1/m", "30/0s", "30/y", "many/m"])
def test_no_rate(text: str) -> None:
    """What is none is told, with what would be one."""
    told = f"feedback_rate: {text!r} is not a rate; write 30/m, 5/s, 100/10m or 0 for no limit"
    with pytest.raises(ConfigurationError) as caught:
        parse_rate("feedback_rate", text)
    assert str(caught.value) == told


def test_origins_setting() -> None:
    """Origins are read as browsers write them."""
    text = "https://Chat.Example.com:443, http://localhost:3000,http://[::1]:80,"
    expected = {"https://chat.example.com", "http://localhost:3000", "http://[::1]"}
    assert parse_origins("feedback_origins", text) == expected
    assert parse_origins("feedback_origins", "*") == {"*"}


@pytest.mark.parametrize(
    "text", ["chat.example.com", "https://a.example/", "https://me@a.example", "ftp://a", "null", "https://*.a"]
)
def test_no_origin(text: str) -> None:
    """What is none is told, with what would be one."""
    with pytest.raises(ConfigurationError) as caught:
        parse_origins("feedback_origins", text)
    assert str(caught.value) == (
        f"feedback_origins: {text!r} is not an origin; write https://chat.example.com, without a path, "
        "or * for every page"
    )
