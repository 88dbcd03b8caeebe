"""Answers that were given, so that a request that is repeated gets the same."""

import asyncio
import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from hansei.feedback.api.idempotency import HEADER, IdempotencyKey
from hansei.feedback.api.problem import Problem
from hansei.feedback.api.resource import Answer

_MOST: Final = 10_000
_LIFETIME: Final = 24 * 3600.0
"""Seconds."""


@dataclass
class _Request:
    fingerprint: bytes
    born: float
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    askers: int = 0
    answer: Answer | None = None


class Repetitions:
    """The answers of the last day, up to a number. For one event loop."""

    def __init__(self, most: int = _MOST, now: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._now = now
        self._known: OrderedDict[tuple[str, str], _Request] = OrderedDict()

    async def once(self, key: IdempotencyKey, what: tuple[Any, ...], answer: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer to a request: the one that was given, or that is under way, or else a new one.

        ``what`` is all that is asked for. Raises :class:`Problem` where the key is that of another request, and
        whatever ``answer`` raises, which then may be tried again.
        """
        known = self._request((key.caller, key.text), fingerprint(*what))
        known.askers += 1
        try:
            async with known.turn:
                if known.answer is None:
                    known.answer = await answer()
                return known.answer
        finally:
            known.askers -= 1
            if known.answer is None and not known.askers:
                self._known.pop((key.caller, key.text), None)

    def _request(self, name: tuple[str, str], asked: bytes) -> _Request:
        now = self._now()
        self._forget(lambda oldest: now - oldest.born > _LIFETIME)
        found = self._known.get(name)
        if found is None:
            self._forget(lambda _: len(self._known) >= self._most)
            found = self._known[name] = _Request(asked, now)
        elif found.fingerprint != asked:
            raise used_for_another()
        return found

    def _forget(self, is_over: Callable[[_Request], bool]) -> None:
        """Drop the oldest while they are over; one that is under way is not."""
        while self._known:
            oldest = next(iter(self._known.values()))
            if oldest.askers or not is_over(oldest):
                return
            self._known.popitem(last=False)


def fingerprint(*what: Any) -> bytes:
    """The same for requests that ask for the same, however their JSON is written."""
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).digest()


def used_for_another() -> Problem:
    """The key belongs to another request."""
    return Problem(422, f"{HEADER}: the key was used for a request that asked for something else; take a new key")
