"""What a page sends: a name, a value and perhaps why, from a body of JSON."""

import json
import math
from dataclasses import dataclass
from typing import Final, NoReturn

from starlette.requests import ClientDisconnect, Request

from hansei.feedback.api.problem import Problem
from hansei.feedback.text import sendable

Value = bool | int | float | str

MOST_BYTES: Final = 16 * 1024
"""Of a body."""
_LONGEST_VALUE: Final = 500
_LONGEST_RATIONALE: Final = 5_000
_FIELDS: Final = ("name", "value", "rationale", "trace_id")


@dataclass(frozen=True)
class Answer:
    """One answer of a person."""

    name: str
    value: Value
    rationale: str | None
    trace_id: str | None
    """For a page that wants to be sure whose token it uses."""

    @classmethod
    async def read(cls, request: Request) -> "Answer":
        """Read the body of a request. Raises :class:`Problem`."""
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise Problem(413, f"the body is larger than {MOST_BYTES} bytes; shorten the rationale")
        except ClientDisconnect:
            raise Problem(400, "the body broke off") from None
        return cls.parse(bytes(body))

    @classmethod
    def parse(cls, body: bytes) -> "Answer":
        """Read and check JSON. Raises :class:`Problem`."""
        try:
            given = json.loads(body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise Problem(400, 'the body is not JSON; send {"name": "helpful", "value": true}') from None
        if not isinstance(given, dict):
            raise Problem(400, 'the body is not a JSON object; send {"name": "helpful", "value": true}')
        for field in given:
            if field not in _FIELDS:
                raise Problem(400, f"{field[:80]!r} is not taken; there are {', '.join(_FIELDS)}")
        name = _text(given, "name", _LONGEST_VALUE)
        if not name:
            raise Problem(400, "name: there is none; send what is assessed, such as helpful")
        return cls(name, _value(given.get("value")), _text(given, "rationale", _LONGEST_RATIONALE), _trace_id(given))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _trace_id(given: dict[str, object]) -> str | None:
    text = _text(given, "trace_id", 100)
    return text.lower() if text else None


def _text(given: dict[str, object], field: str, longest: int) -> str | None:
    text = given.get(field)
    if text is None:
        return None
    if not isinstance(text, str):
        raise Problem(400, f"{field}: it is not a text")
    if len(text) > longest:
        raise Problem(400, f"{field}: it has {len(text)} characters; at most {longest} are taken")
    return sendable(text) or None


def _value(value: object) -> Value:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        try:
            if math.isfinite(value):
                return value
        except OverflowError:
            pass
        raise Problem(400, "value: the number is too large")
    if not isinstance(value, str) or not value:
        raise Problem(400, "value: send true, false, a number or a text; DELETE takes it back")
    if len(value) > _LONGEST_VALUE:
        raise Problem(
            400, f"value: it has {len(value)} characters; at most {_LONGEST_VALUE} are taken, and more as the rationale"
        )
    return sendable(value)
