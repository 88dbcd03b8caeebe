"""The list of sessions: what its address asks for, and what is found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from hansei.feedback.pages.period import Period
from hansei.feedback.search.connection import Query
from hansei.feedback.search.sessions import find_sessions

_AT_ONCE: Final = 50


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
    """Read a page. Raises ``SearchError``."""
    found = find_sessions(
        query,
        filter_string=asked.filter or None,
        user=asked.user or None,
        service=asked.service or None,
        start_time=asked.period.start * 1000,
        end_time=asked.period.end * 1000,
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
