"""The columns of the list: which there are, and which a visitor wants."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

COOKIE: Final = "hansei_trace_columns"


@dataclass(frozen=True, slots=True)
class Column:
    """A column; the template knows what stands in it."""

    key: str
    label: str
    numeric: bool = False
    usual: bool = True
    """Whether it is shown to those who have not chosen."""


TIME: Final = Column("time", "Time")
"""The first, always: its cell holds the link to the trace."""
COLUMNS: Final = (
    TIME,
    Column("name", "Name"),
    Column("service", "Service", usual=False),
    Column("request", "Request"),
    Column("response", "Response"),
    Column("status", "Status"),
    Column("latency", "Latency", numeric=True),
    Column("spans", "Spans", numeric=True, usual=False),
    Column("calls", "Calls", numeric=True, usual=False),
    Column("models", "Models"),
    Column("tokens", "Tokens", numeric=True),
    Column("cost", "Cost", numeric=True),
    Column("session", "Session", usual=False),
    Column("user", "User"),
    Column("feedback", "Feedback"),
    Column("errors", "Errors", numeric=True, usual=False),
)


def columns_of(*choices: str) -> Sequence[Column]:
    """The columns that the first choice names which names one (keys and commas), else the usual ones."""
    for choice in choices:
        wanted = {key.strip() for key in choice.split(",")}
        chosen = [column for column in COLUMNS if column.key in wanted]
        if chosen:
            return chosen if TIME in chosen else [TIME, *chosen]
    return [column for column in COLUMNS if column.usual]
