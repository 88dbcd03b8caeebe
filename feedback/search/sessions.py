"""Searching sessions: conversations over any number of traces."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, overload

from hansei.feedback.search.arguments import limit, one_line
from hansei.feedback.search.connection import Query, connections
from hansei.feedback.search.errors import InvalidSearch
from hansei.feedback.search.filter_fields import SESSIONS
from hansei.feedback.search.filter_parser import parse
from hansei.feedback.search.filter_sql import session_condition
from hansei.feedback.search.filter_tree import And, Comparison, Expression, Field
from hansei.feedback.search.frame import check_return_type, data_frame
from hansei.feedback.search.moment import END_OF_TIME, Moment, nanoseconds
from hansei.feedback.search.newest_sessions import newest_sessions
from hansei.feedback.search.page import Page, place_of, token_of
from hansei.feedback.search.statements import fill, statement
from hansei.feedback.search.stored import Row
from hansei.feedback.search.waiting import wait_for

if TYPE_CHECKING:
    from hansei.feedback.search.frame import DataFrame

Session = dict[str, Any]
"""A row, by column."""

COLUMNS: Final = (
    "SessionId", "UserId", "ServiceName", "Start", "End", "Traces", "Calls", "InputTokens", "OutputTokens", "CostUsd",
    "Errors", "UnpricedCalls",
)  # fmt: skip
"""Those of the view genai_sessions."""
COUNTS: Final = ("Assessments", "Feedback", "Expectations", "NegativeFeedback")
_COUNTED_AT_ONCE: Final = 2_000
"""Sessions whose assessments are counted by one question, whose length has a limit."""
_NEWEST_FIRST: Final = "Start DESC, SessionId DESC"
_BEFORE: Final = "(toUnixTimestamp64Nano(Start), SessionId) < ({before:Int64}, {before_id:String})"
"""Later in that order."""


@overload
def search_sessions(
    *,
    filter_string: str | None = None,
    where: str | None = None,
    session_id: str | None = None,
    user: str | None = None,
    service: str | None = None,
    start_time: Moment | None = None,
    end_time: Moment | None = None,
    order_by: str | Sequence[str] | None = None,
    max_results: int = 100,
    page_token: str | None = None,
    return_type: Literal["pandas"] = "pandas",
    wait: float | None = None,
) -> "DataFrame": ...
@overload
def search_sessions(
    *,
    filter_string: str | None = None,
    where: str | None = None,
    session_id: str | None = None,
    user: str | None = None,
    service: str | None = None,
    start_time: Moment | None = None,
    end_time: Moment | None = None,
    order_by: str | Sequence[str] | None = None,
    max_results: int = 100,
    page_token: str | None = None,
    return_type: Literal["list"],
    wait: float | None = None,
) -> Page[Session]: ...
def search_sessions(
    *,
    filter_string: str | None = None,
    where: str | None = None,
    session_id: str | None = None,
    user: str | None = None,
    service: str | None = None,
    start_time: Moment | None = None,
    end_time: Moment | None = None,
    order_by: str | Sequence[str] | None = None,
    max_results: int = 100,
    page_token: str | None = None,
    return_type: Literal["pandas", "list"] = "pandas",
    wait: float | None = None,
) -> "DataFrame | Page[Session]":
    """The sessions that fit all of what is given, the last to begin first.

    A session fits a time in which one of its spans began. ``filter_string`` compares fields of sessions, ``where`` is a
    condition in SQL on a row of genai_sessions. The columns are those of genai_sessions, then how many assessments
    there are of the session and its traces. There are more where the list has a ``next_page_token`` (of a DataFrame in
    ``.attrs``), to be given as ``page_token``. With ``wait`` it is asked again for so many seconds until there is one.
    Raises ``SearchError``.
    """
    check_return_type(return_type)
    page = wait_for(
        lambda: find_sessions(
            connections.query,
            filter_string=filter_string,
            where=where,
            session_id=session_id,
            user=user,
            service=service,
            start_time=start_time,
            end_time=end_time,
            order_by=order_by,
            max_results=max_results,
            page_token=page_token,
        ),
        bool,
        wait,
    )
    if return_type == "list":
        return page
    frame = data_frame(page, (*COLUMNS, *COUNTS))
    frame.attrs["next_page_token"] = page.next_page_token
    return frame


def find_sessions(
    query: Query,
    *,
    filter_string: str | None = None,
    where: str | None = None,
    session_id: str | None = None,
    user: str | None = None,
    service: str | None = None,
    start_time: Moment | None = None,
    end_time: Moment | None = None,
    order_by: str | Sequence[str] | None = None,
    max_results: int = 100,
    page_token: str | None = None,
) -> Page[Session]:
    """As :func:`search_sessions`, by any reader."""
    given = {"session": session_id, "user": user, "service": service}
    expressions: list[Expression] = [
        Comparison(Field(field), "=", one_line(field, value)) for field, value in given.items() if value is not None
    ]
    if filter_string and filter_string.strip():
        expressions.append(parse(filter_string, SESSIONS))
    condition, parameters = session_condition(And(tuple(expressions))) if expressions else ("true", {})
    conditions = [condition, *([f"(\n{where}\n)"] if where else [])]
    order, count = _order(order_by), limit(max_results)
    if page_token is not None:
        if order != _NEWEST_FIRST:
            raise InvalidSearch(
                "page_token: pages are of the newest first; leave order_by out, or give a larger max_results"
            )
        conditions.append(_BEFORE)
        parameters |= dict(zip(("before", "before_id"), place_of(page_token, int, str), strict=True))
    start = -END_OF_TIME if start_time is None else nanoseconds("start_time", start_time)
    end = END_OF_TIME if end_time is None else nanoseconds("end_time", end_time)
    fitting = "\n".join(f"    AND {condition}" for condition in conditions)

    def some(session_ids: Sequence[str]) -> list[Row]:
        if not session_ids:
            return []
        return query(fill(statement("some_sessions"), conditions=fitting), {**parameters, "session_ids": session_ids})

    found = None
    if order == _NEWEST_FIRST and session_id is None:
        before = parameters.get("before")
        newest = min(end, before + 1) if isinstance(before, int) else end
        found = newest_sessions(query, some, start, newest, count)
    if found is None:
        sql = fill(statement("find_sessions"), conditions=fitting, order=order)
        found = query(sql, {**parameters, "from": start, "until": end, "limit": count + 1})
    page = _with_feedback(query, found[:count])
    if len(found) <= count or order != _NEWEST_FIRST:
        return Page(page)
    return Page(page, token_of(found[count - 1]["Began"], found[count - 1]["SessionId"]))


def _order(order_by: str | Sequence[str] | None) -> str:
    given = [] if order_by is None else order_by.split(",") if isinstance(order_by, str) else list(order_by)
    parts = []
    for text in given:
        match = re.fullmatch(r"\s*(\w+)(?:\s+(ASC|DESC))?\s*", text, re.IGNORECASE)
        if match is None or match[1] not in COLUMNS:
            raise InvalidSearch(f"order_by: {text!r} is not one of {', '.join(COLUMNS)} with ASC or DESC")
        parts.append(f"{match[1]} {(match[2] or 'ASC').upper()}")
    return _NEWEST_FIRST if parts in ([], ["Start DESC"]) else ", ".join([*parts, "SessionId"])


def _with_feedback(query: Query, sessions: Sequence[Session]) -> list[Session]:
    """The sessions with how many assessments each has."""
    ids = [session["SessionId"] for session in sessions]
    counted: dict[str, Row] = {}
    for begin in range(0, len(ids), _COUNTED_AT_ONCE):
        asked = {"session_ids": ids[begin : begin + _COUNTED_AT_ONCE]}
        counted |= {row["Session"]: row for row in query(statement("feedback_of_sessions"), asked)}
    return [
        {name: session[name] for name in COLUMNS}
        | {name: counted.get(session["SessionId"], {}).get(name, 0) for name in COUNTS}
        for session in sessions
    ]
