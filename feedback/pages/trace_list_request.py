"""What a visitor of the list asks for, read from the address."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlencode

from hansei.feedback.pages.trace_list_address import ListAddress
from hansei.feedback.pages.trace_list_columns import COOKIE, Column, columns_of
from hansei.feedback.pages.trace_list_filter import TraceFilter, filter_of
from hansei.feedback.pages.trace_list_range import TimeRange, range_of
from hansei.feedback.search.errors import InvalidSearch

if TYPE_CHECKING:
    from starlette.requests import Request

LIMITS: Final = (25, 50, 100, 200)
"""Traces on a page."""
_USUAL_LIMIT: Final = 50


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A list of traces, as it is asked for."""

    address: ListAddress
    time: TimeRange
    filter: TraceFilter
    columns: Sequence[Column]
    limit: int
    problems: Sequence[str]
    """What of it cannot be used, a line each; then nothing is searched for."""

    @property
    def usable(self) -> bool:
        """Whether it can be searched for."""
        return not self.problems and self.filter.usable

    @property
    def filter_text(self) -> str | None:
        """The filter, None for all."""
        return self.filter.text or None

    def check(self) -> None:
        """Raises ``InvalidSearch`` where it cannot be searched for."""
        if not self.usable:
            raise InvalidSearch((self.filter.filter_error or "; ".join(self.problems)).partition("\n")[0])

    @property
    def page_token(self) -> str | None:
        """Where the page before ended, None for the first."""
        return self.address.get("page") or None

    @property
    def export(self) -> str:
        """The query of an export of the same traces, without its format."""
        until = self.time.end_ms
        return urlencode({"filter": self.filter.text, "from": self.time.start_ms, "to": until})


def list_request(request: "Request", now_ms: int) -> ListRequest:
    """Reads it. Raises nothing: what is wrong is said in it."""
    address = ListAddress.of(request.query_params.multi_items())
    problems: list[str] = []
    try:
        time = range_of(address.values, now_ms)
    except InvalidSearch as error:
        problems.append(str(error))
        time = range_of({}, now_ms)
    limit = _USUAL_LIMIT
    if text := address.get("limit"):
        if text in map(str, LIMITS):
            limit = int(text)
        else:
            problems.append(f"limit: {text!r} is not one of {', '.join(map(str, LIMITS))}")
    made = filter_of(address)
    columns = columns_of(address.get("cols"), unquote(request.cookies.get(COOKIE, "")))
    return ListRequest(address, time, made, columns, limit, [*problems, *made.problems])
