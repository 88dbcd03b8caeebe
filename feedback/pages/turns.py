"""A conversation as its turns: of each trace what was asked, what was answered and what was done for it."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hansei.feedback.pages.assessments_panel import Entry, entries
from hansei.feedback.pages.conversation import Content, Part, content_of
from hansei.feedback.pages.exchanged import WORDS, answered, asked
from hansei.feedback.pages.named_sql import named_sql
from hansei.feedback.search.arguments import one_line
from hansei.feedback.search.assessments import assessments_of
from hansei.feedback.search.connection import Query
from hansei.feedback.search.page import place_of, token_of

AT_ONCE: Final = 50
"""Turns of a page."""
ORDERS: Final = {"oldest": 1, "newest": -1}
_FIRST: Final = -(2**63)
_SHOWN: Final = (*WORDS, "reasoning")
"""The parts of a message."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that was called."""

    name: str
    arguments: str
    result: str
    duration_ns: int | None
    error: str
    """Why it failed; empty where it did not."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A trace of the conversation."""

    number: int
    trace_id: str
    name: str
    service: str
    began_ns: int
    duration_ns: int
    error: str
    """Why it failed; empty where it did not."""
    asked: Sequence[Part]
    answered: Sequence[Part]
    tools: Sequence[Tool]
    calls: int
    tokens: int
    cost_usd: float | None
    said: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Turns:
    """Some turns, and where the next ones begin."""

    turns: Sequence[Turn]
    next_page: str | None


def read_turns(query: Query, session_id: str, order: str, page: str | None, total: int) -> Turns:
    """A page of the turns of a session that has so many of them. Raises ``SearchError``."""
    after, after_id, done = place_of(page, int, str, int) if page else (_FIRST, "", 0)
    wanted = {
        "session_id": one_line("session", session_id), "sign": ORDERS[order], "after": after, "after_id": after_id,
        "limit": AT_ONCE + 1,
    }  # fmt: skip
    places = query(named_sql("traces_of_session"), wanted)
    shown = places[:AT_ONCE]
    ids = [row["TraceId"] for row in shown]
    if not ids:
        return Turns((), None)
    spans: dict[str, list[Row]] = defaultdict(list)
    for row in query(named_sql("spans_of_turns"), {"trace_ids": ids}):
        spans[row["TraceId"]].append(row)
    usage = {row["TraceId"]: row for row in query(named_sql("usage_of_turns"), {"trace_ids": ids})}
    said = assessments_of(query, ids)
    turns = [
        _turn(
            done + index + 1 if order == "oldest" else total - done - index,
            row["TraceId"], ORDERS[order] * row["Place"], spans[row["TraceId"]], usage.get(row["TraceId"], {}),
            entries(said[row["TraceId"]][::-1]),
        )
        for index, row in enumerate(shown)
    ]  # fmt: skip
    last = shown[-1]
    more = token_of(last["Place"], last["TraceId"], done + len(shown)) if len(places) > AT_ONCE else None
    return Turns(turns, more)


def _turn(number: int, trace_id: str, began: int, spans: Sequence[Row], usage: Row, said: Sequence[Entry]) -> Turn:
    contents = [content_of(span["Attributes"]) for span in spans]
    root = next((index for index, span in enumerate(spans) if span["Root"]), None)
    first: Row = spans[root if root is not None else 0] if spans else {}
    calls = [content for span, content in zip(spans, contents, strict=True) if span["ModelCall"]]
    whole = contents[root] if root is not None else Content()
    return Turn(
        number=number,
        trace_id=trace_id,
        name=first.get("SpanName", ""),
        service=first.get("ServiceName", ""),
        began_ns=began,
        duration_ns=first.get("Duration", 0),
        error=(first["StatusMessage"] or "failed") if first.get("StatusCode") == "Error" else "",
        asked=asked([whole, *calls], _SHOWN),
        answered=answered([whole, *calls[::-1]], _SHOWN),
        tools=[_tool(span, content) for span, content in zip(spans, contents, strict=True) if span["Tool"]]
        or [
            Tool(part.name, part.text, "", None, "")
            for content in calls
            for message in content.output
            for part in message.parts
            if part.kind == "call"
        ],
        calls=usage.get("Calls", 0),
        tokens=usage.get("Tokens", 0),
        cost_usd=usage.get("CostUsd"),
        said=said,
    )


def _tool(span: Row, content: Content) -> Tool:
    name = span["Attributes"].get("gen_ai.tool.name") or span["SpanName"]
    given, returned = (value.text if value is not None else "" for value in (content.inputs, content.outputs))
    error = (span["StatusMessage"] or "failed") if span["StatusCode"] == "Error" else ""
    return Tool(name, given, returned or _documents(content), span["Duration"], error)


def _documents(content: Content) -> str:
    found = [document.text for document in content.documents]
    return json.dumps(found, ensure_ascii=False, indent=2) if found else ""
