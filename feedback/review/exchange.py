"""What a reviewer reads of an item, without the terms of telemetry: what was asked, done and answered."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final

from hansei.feedback.labeling.model import CONVERSATION, SPAN, Item
from hansei.feedback.pages.conversation import Content, Document, Message, Part, content_of
from hansei.feedback.pages.exchanged import WORDS, answered, asked
from hansei.feedback.pages.named_sql import named_sql
from hansei.feedback.search.connection import Query

TURNS: Final = 100
"""Of a conversation; of one that is longer the last ones are shown."""
_FIRST: Final = -(2**63)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """What was done between question and answer."""

    kind: str
    """``documents``, ``tool`` or ``thought``."""
    name: str = ""
    """Of a tool."""
    given: str = ""
    """What a tool was given, or what was searched for."""
    text: str = ""
    """What a tool returned; a thought."""
    documents: Sequence[Document] = ()
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer; either may not have been recorded."""

    earlier: Sequence[Message] = ()
    """What was said before, where this turn stands alone."""
    asked: Sequence[Part] = ()
    steps: Sequence[Step] = ()
    answered: Sequence[Part] = ()
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """All that is shown of an item; no turns where it is not there (any more)."""

    turns: Sequence[Turn]
    trace_ids: Sequence[str] = field(default=())
    left_out: int = 0
    """How many earlier turns are not shown."""


def read_exchange(query: Query, item: Item) -> Exchange:
    """What is shown of an item. Raises ``SearchError``."""
    if item.kind == CONVERSATION:
        return _conversation(query, item.conversation_id)
    rows = _rows(query, [item.trace_id], item.span_id)[item.trace_id]
    if item.kind == SPAN:
        rows = [row for row in rows if row["SpanId"] == item.span_id]
        turns = [_turn_of_span(row) for row in rows[:1]]
    else:
        turns = [_turn(rows, alone=True)] if rows else []
    return Exchange(turns, [item.trace_id])


def _conversation(query: Query, conversation_id: str) -> Exchange:
    wanted = {"session_id": conversation_id, "sign": -1, "after": _FIRST, "after_id": "", "limit": 10 * TURNS}
    ids = [row["TraceId"] for row in query(named_sql("traces_of_session"), wanted)]
    shown = ids[:TURNS][::-1]
    if not shown:
        return Exchange(())
    rows = _rows(query, shown)
    return Exchange([_turn(rows[trace_id], alone=False) for trace_id in shown], shown, len(ids) - len(shown))


def _rows(query: Query, trace_ids: Sequence[str], span_id: str = "") -> Mapping[str, list[Row]]:
    sql = files(__package__).joinpath("exchange.sql").read_text().strip().removesuffix(";")
    found: dict[str, list[Row]] = defaultdict(list)
    for row in query(sql, {"trace_ids": list(trace_ids), "span_id": span_id}):
        found[row["TraceId"]].append(row)
    return found


def _turn(rows: Sequence[Row], *, alone: bool) -> Turn:
    contents = [content_of(row["Attributes"]) for row in rows]
    pairs = list(zip(rows, contents, strict=True))
    whole = next((content for row, content in pairs if row["Root"]), Content())
    calls = [content for row, content in pairs if row["ModelCall"]]
    steps = [step for row, content in pairs for step in _steps(row, content)]
    if not any(step.kind == "tool" for step in steps):
        steps += [Step("tool", part.name, part.text) for call in calls for part in _parts(call.output, "call")]
    return Turn(
        earlier=_earlier(whole.input or (calls[0].input if calls else ())) if alone else (),
        asked=asked([whole, *calls]),
        steps=steps,
        answered=answered([whole, *calls[::-1]]),
        failed=any(row["Root"] and row["StatusCode"] == "Error" for row in rows),
    )


def _turn_of_span(row: Row) -> Turn:
    content = content_of(row["Attributes"])
    own = [Part("text", content.query)] if content.query else []
    return Turn(
        earlier=_earlier(content.input),
        asked=asked([content]) or own,
        steps=[step for step in _steps(row, content) if step.kind != "tool"],
        answered=answered([content]),
        failed=row["StatusCode"] == "Error",
    )


def _steps(row: Row, content: Content) -> list[Step]:
    found = []
    if content.documents:
        found.append(Step("documents", given=content.query, documents=content.documents))
    elif row["Tool"]:
        name = row["Attributes"].get("gen_ai.tool.name") or row["SpanName"]
        given, returned = (value.text if value is not None else "" for value in (content.inputs, content.outputs))
        found.append(Step("tool", name, given, returned, failed=row["StatusCode"] == "Error"))
    if row["ModelCall"]:
        found += [Step("thought", text=part.text) for part in _parts(content.output, "reasoning") if part.text]
    return found


def _parts(messages: Sequence[Message], kind: str) -> list[Part]:
    return [part for message in messages for part in message.parts if part.kind == kind]


def _earlier(messages: Sequence[Message]) -> list[Message]:
    """What people and the assistant said before the last message of a user."""
    last = max((index for index, message in enumerate(messages) if message.role == "user"), default=0)
    shown = [
        Message(message.role, [part for part in message.parts if part.kind in WORDS])
        for message in messages[:last]
        if message.role in ("user", "assistant")
    ]
    return [message for message in shown if message.parts]
