"""Searching sessions: conversations over any number of traces."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, overload

from hansei.feedback.search.arguments import limit, one_line
from hansei.feedback.search.connection import connections
from hansei.feedback.search.errors import InvalidSearch
from hansei.feedback.search.filter_fields import SESSIONS
from hansei.feedback.search.filter_parser import parse
from hansei.feedback.search.filter_sql import session_condition
from hansei.feedback.search.filter_tree import And, Comparison, Expression, Field
from hansei.feedback.search.frame import check_return_type, data_frame
from hansei.feedback.search.moment import END_OF_TIME, Moment, nanoseconds
from hansei.feedback.search.statements import fill, statement
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
    return_type: Literal["list"],
    wait: float | None = None,
) -> list[Session]: ...
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
    return_type: Literal["pandas", "list"] = "pandas",
    wait: float | None = None,
) -> "DataFrame | list[Session]":
    """The sessions that fit all of what is given, the last to begin first.

    A session fits a time in which one of its spans began. ``filter_string`` compares fields of sessions, ``where`` is a
    condition in SQL on a row of genai_sessions. The columns are those of genai_sessions, then how many assessments
    there are of the session and its traces. With ``wait`` it is asked again for so many seconds until there is one.
    Raises ``SearchError``.
    """
    check_return_type(return_type)
    given = {"session": session_id, "user": user, "service": service}
    expressions: list[Expression] = [
        Comparison(Field(field), "=", one_line(field, value)) for field, value in given.items() if value is not None
    ]
    if filter_string and filter_string.strip():
        expressions.append(parse(filter_string, SESSIONS))
    condition, parameters = session_condition(And(tuple(expressions))) if expressions else ("true", {})
    conditions = [condition, *([f"(\n{where}\n)"] if where else [])]
    parameters |= {
        "from": -END_OF_TIME if start_time is None else nanoseconds("start_time", start_time),
        "until": END_OF_TIME if end_time is None else nanoseconds("end_time", end_time),
        "limit": limit(max_results),
    }
    sql = fill(
        statement("find_sessions"),
        conditions="\n".join(f"    AND {condition}" for condition in conditions),
        order=_order(order_by),
    )
    found = wait_for(lambda: connections.query(sql, parameters), bool, wait)
    rows = _with_feedback(found)
    return rows if return_type == "list" else data_frame(rows, (*COLUMNS, *COUNTS))


def _order(order_by: str | Sequence[str] | None) -> str:
    given = [] if order_by is None else order_by.split(",") if isinstance(order_by, str) else list(order_by)
    parts = []
    for text in given:
        match = re.fullmatch(r"\s*(\w+)(?:\s+(ASC|DESC))?\s*", text, re.IGNORECASE)
        if match is None or match[1] not in COLUMNS:
            raise InvalidSearch(f"order_by: {text!r} is not one of {', '.join(COLUMNS)} with ASC or DESC")
        parts.append(f"{match[1]} {(match[2] or 'ASC').upper()}")
    return ", ".join([*(parts or ["Start DESC"]), "SessionId"])


def _with_feedback(sessions: Sequence[Session]) -> list[Session]:
    """The sessions with how many assessments each has."""
    if not sessions:
        return []
    ids = [session["SessionId"] for session in sessions]
    counted = {
        row["Session"]: row for row in connections.query(statement("feedback_of_sessions"), {"session_ids": ids})
    }
    return [
        {name: session[name] for name in COLUMNS}
        | {name: counted.get(session["SessionId"], {}).get(name, 0) for name in COUNTS}
        for session in sessions
    ]
