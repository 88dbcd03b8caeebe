"""Choosing traces for a session by rules.

What a rule chooses is found by the SQL of searches (:func:`hansei.feedback.search.traces.find_statement`), with the
rule's own condition beside the filter's; what is an item of the session already, or was and has been removed, is not
chosen. Two servers that apply one rule at the same time choose the same, and an item that is added twice is one.
"""

import time
from dataclasses import dataclass
from typing import Final

from hansei.feedback.labeling.items import Added, add_items, trace_item
from hansei.feedback.labeling.rules import (
    DISAGREEMENT,
    LOW_SCORE,
    MOST,
    NEGATIVE,
    RANDOM,
    STRATIFIED,
    Rule,
)
from hansei.feedback.labeling.statements import fill, statement
from hansei.feedback.search.connection import Query
from hansei.feedback.search.filter_fields import FIRST_SPAN
from hansei.feedback.search.filter_parser import parse
from hansei.feedback.search.filter_sql import Conditions, trace_conditions
from hansei.feedback.search.filter_tree import And
from hansei.feedback.search.moment import END_OF_TIME
from hansei.feedback.search.slices import LONGEST, seconds
from hansei.feedback.search.traces import NEWEST_FIRST, find_statement
from hansei.feedback.web.tables import Tables

_CONDITIONS: Final = {
    NEGATIVE: "sampled_negative",
    DISAGREEMENT: "sampled_disagreement",
    LOW_SCORE: "sampled_low_score",
}
_WEIGHTS: Final = {
    None: ("otel_traces", "1."),
    "duration": ("otel_traces", f"toFloat64(argMin(Duration, {FIRST_SPAN}))"),
    "tokens": ("otel_traces", "toFloat64(sumIf(GenAiTotalInputTokens + GenAiTotalOutputTokens, GenAiModelCall))"),
    "cost": ("genai_calls", "toFloat64(ifNull(sum(CostUsd), 0))"),
}
"""Where the rows of a trace are, and its weight of them."""
_STRATA: Final = {
    "service": f"argMin(ServiceName, {FIRST_SPAN})",
    "model": "argMinIf(GenAiModel, Timestamp, GenAiModel != '')",
    "provider": "argMinIf(GenAiProvider, Timestamp, GenAiProvider != '')",
    "user": "argMinIf(UserId, Timestamp, UserId != '')",
    "session": "argMinIf(ConversationId, Timestamp, ConversationId != '')",
    "name": f"argMin(SpanName, {FIRST_SPAN})",
    "status": f"if(argMin(StatusCode, {FIRST_SPAN}) = 'Error', 'ERROR', 'OK')",
}
"""Of the rows of a trace."""
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rule would add."""

    count: int
    trace_ids: list[str]
    """The first of them."""


def preview_rule(query: Query, rule: Rule, *, session_id: str = "", now_ns: int | None = None) -> Preview:
    """What a rule would add to a session, or to a new one. Raises ``SearchError``."""
    sql, parameters = _sample(query, rule, session_id, now_ns)
    (row,) = query(fill(statement("sample_count"), sample=sql), {**parameters, "shown": _SHOWN})
    return Preview(row["Count"], list(row["TraceIds"]))


def apply_rule(store: Tables, rule: Rule, session_id: str, *, now_ns: int | None = None) -> Added:
    """Add what a rule chooses; ``maximum`` is of all that it ever adds to the session. Raises ``SearchError``."""
    sql, parameters = _sample(store.query, rule, session_id, now_ns)
    chosen = store.query(sql, parameters)
    return add_items(store, session_id, [trace_item(row["TraceId"], rule.reason()) for row in chosen])


def _sample(query: Query, rule: Rule, session_id: str, now_ns: int | None) -> tuple[str, dict[str, object]]:
    start, end = rule.window(time.time_ns() if now_ns is None else now_ns)
    lower, upper = -END_OF_TIME if start is None else start, END_OF_TIME if end is None else end
    conditions = _conditions(rule)
    found, parameters = find_statement(conditions, None, NEWEST_FIRST)
    reason = rule.reason()
    left = rule.maximum or MOST
    if rule.maximum and session_id:
        (row,) = query(statement("sampled_before"), {"session_id": session_id, "reason": reason})
        left = max(0, left - row["Count"])
    parameters |= {
        "from": lower,
        "until": upper,
        "until_late": min(upper + LONGEST, END_OF_TIME),
        "earliest": seconds(lower - LONGEST),
        "latest": seconds(upper + LONGEST),
        "before": END_OF_TIME,
        "before_id": "",
        "limit": 2**32 - 1,
        "session_id": session_id,
        "sample": left,
    }
    if rule.kind == RANDOM:
        rows, weight = _WEIGHTS[rule.weight]
        sql = fill(statement("sample_random"), rows=rows, weight=weight, found=found)
        return sql, {**parameters, "sample_share": 1.0 if rule.share is None else rule.share}
    if rule.kind == STRATIFIED and rule.by is not None:
        sql = fill(statement("sample_stratified"), stratum=_STRATA[rule.by], found=found)
        return sql, {**parameters, "sample_each": rule.each, "reason": reason}
    return fill(statement("sample_newest"), found=found), parameters


def _conditions(rule: Rule) -> Conditions:
    made = trace_conditions(parse(rule.filter) if rule.filter else And(()))
    block = _CONDITIONS.get(rule.kind)
    if block:
        made.traces.append(statement(block))
        made.parameters |= {"sampled_name": rule.name or "", "sampled_threshold": rule.threshold or 0.0}
    return made
