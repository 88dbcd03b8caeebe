"""A search as SQL that a person can read, change and run."""

import re

from hansei.feedback.search.arguments import limit
from hansei.feedback.search.filter_parser import parse_any
from hansei.feedback.search.filter_sql import trace_conditions
from hansei.feedback.search.moment import END_OF_TIME, Moment, nanoseconds
from hansei.feedback.search.slices import LONGEST, seconds
from hansei.feedback.search.traces import NEWEST_FIRST, find_statement

_PARAMETER = re.compile(r"\{(\w+):([\w()]+)\}")


def explain_traces(
    *,
    filter_string: str | None = None,
    start_time: Moment,
    end_time: Moment,
    max_results: int = 50,
) -> str:
    """One statement for the SQL endpoint that finds what ``list_traces`` does, with its values written out.

    Raises ``SearchError``.
    """
    start, end = nanoseconds("start_time", start_time), nanoseconds("end_time", end_time)
    sql, parameters = find_statement(trace_conditions(parse_any(filter_string)), None, NEWEST_FIRST)
    parameters |= {
        "from": start,
        "until": end,
        "until_late": min(end + LONGEST, END_OF_TIME),
        "earliest": seconds(start - LONGEST),
        "latest": seconds(end + LONGEST),
        "before": END_OF_TIME,
        "before_id": "",
        "limit": limit(max_results),
    }
    found = _PARAMETER.sub(lambda match: _literal(parameters[match[1]]), sql)
    return f"SELECT * FROM genai_traces WHERE TraceId IN (\nSELECT TraceId FROM (\n{found}\n))\nORDER BY Start DESC"


def _literal(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, int | float):
        return repr(value)
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"
