"""The list of sessions: what its address asks for, and what is found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from hansei.feedback.pages.period import Period
from hansei.feedback.search.connection import Query
from hansei.feedback.search.page import place_of
from hansei.feedback.search.sessions import find_sessions

_AT_ONCE: Final = 50
_STRETCHES: Final = (600, 7200)
"""Seconds."""


@dataclass(frozen=True, slots=True)
class SessionList:
    """What is asked for; the address says it all."""

    period: Period
    filter: str = ""
    user: str = ""
    service: str = ""
    page: str = ""
    """Where it begins, of the page before."""

    @property
    def kept(self) -> dict[str, str]:
        """What the address says beside the time and the page."""
        given = {"filter": self.filter, "user": self.user, "service": self.service}
        return {name: value for name, value in given.items() if value}

    @property
    def first(self) -> str:
        """The address of the first page."""
        return self._address(self.kept)

    @property
    def unfiltered(self) -> str:
        """The address of all sessions of the time."""
        return self._address({})

    def following(self, page: str) -> str:
        """The address of a page after the first."""
        return self._address({**self.kept, "page": page})

    def export(self, file_format: str) -> str:
        """The address of all of it as a file."""
        within = {"from": str(self.period.start * 1000), "to": str(self.period.end * 1000)}
        return f"/export/sessions?{urlencode({'format': file_format, **within, **self.kept})}"

    def _address(self, query: Mapping[str, str]) -> str:
        return f"/sessions?{urlencode({**self.period.query, **query})}"


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session in the list."""

    session_id: str
    user: str
    service: str
    start_ns: int
    duration_ns: int
    turns: int
    calls: int
    tokens: int
    cost_usd: float | None
    unpriced: int
    """Calls whose cost is not known."""
    errors: int
    said: int
    negative: int


@dataclass(frozen=True, slots=True)
class FoundSessions:
    """A page of them, the last to begin first."""

    rows: Sequence[SessionRow]
    next_page: str | None


def read_sessions(query: Query, asked: SessionList) -> FoundSessions:
    """Read a page. Raises ``SearchError``.

    To put a session together all its spans are read, so not all sessions of the time are: those of a short stretch at
    its end, or before the page, then of longer ones, until those that began in the stretch fill the page.
    """
    start, end = asked.period.start * 1000, asked.period.end * 1000
    newest = end
    if asked.page:
        before, _ = place_of(asked.page, int, str)
        newest = min(end, before // 1_000_000 + 1)
    for stretch in _STRETCHES:
        since = newest - stretch * 1000
        if since <= start:
            break
        found = _find(query, asked, since, newest)
        if found.next_page is not None and found.rows[-1].start_ns >= since * 1_000_000:
            return found
    return _find(query, asked, start, end)


def _find(query: Query, asked: SessionList, start: int, end: int) -> FoundSessions:
    found = find_sessions(
        query,
        filter_string=asked.filter or None,
        user=asked.user or None,
        service=asked.service or None,
        start_time=start,
        end_time=end,
        max_results=_AT_ONCE,
        page_token=asked.page or None,
    )
    return FoundSessions([_row(session) for session in found], found.next_page_token)


def _row(session: Mapping[str, Any]) -> SessionRow:
    start, end = _nanoseconds(session["Start"]), _nanoseconds(session["End"])
    return SessionRow(
        session_id=session["SessionId"],
        user=session["UserId"],
        service=session["ServiceName"],
        start_ns=start,
        duration_ns=end - start,
        turns=session["Traces"],
        calls=session["Calls"],
        tokens=session["InputTokens"] + session["OutputTokens"],
        cost_usd=session["CostUsd"],
        unpriced=session["UnpricedCalls"],
        errors=session["Errors"],
        said=session["Assessments"],
        negative=session["NegativeFeedback"],
    )


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000) * 1_000_000
