"""Labeling as the API reads and writes it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import wraps
from typing import Any, Final
from urllib.parse import quote

from starlette.requests import Request

from hansei.collector.keys import Principal
from hansei.feedback.api.parameters import unknown
from hansei.feedback.api.problem import Problem
from hansei.feedback.api.resource import Answer
from hansei.feedback.errors import InvalidAssessment
from hansei.feedback.export.columns import iso_of_milliseconds
from hansei.feedback.ids import span_id_or_none, trace_id_or_none
from hansei.feedback.labeling.errors import InvalidLabeling, LabelingConflict, LabelingError, UnknownLabeling
from hansei.feedback.labeling.items import MOST, conversation_item, span_item, trace_item
from hansei.feedback.labeling.model import Item, LabelingSessionRecord, LabelSchemaVersion, ReviewerRecord
from hansei.feedback.labeling.texts import brief, plain_text
from hansei.feedback.search.errors import InvalidSearch

Handle = Callable[[Request, Principal | None], Awaitable[Answer]]

LONGEST_CONVERSATION_ID: Final = 1_000
LONGEST_REASON: Final = 500
"""Characters."""


def told(handle: Handle) -> Handle:
    """What is wrong with labeling, said as a problem."""

    @wraps(handle)
    async def answer(request: Request, principal: Principal | None) -> Answer:
        try:
            return await handle(request, principal)
        except (LabelingError, InvalidSearch) as error:
            raise problem_of_labeling(error, in_body=request.method != "GET") from error

    return answer


def problem_of_labeling(error: LabelingError | InvalidSearch, *, in_body: bool) -> Problem:
    """What an error means to who asked."""
    text = str(error)
    if isinstance(error, UnknownLabeling):
        return Problem(404, text)
    if isinstance(error, LabelingConflict):
        return Problem(409, text)
    return Problem.of_line(text, in_body=in_body)


def body_of(body: Any, fields: Sequence[str], *needed: str) -> Mapping[str, Any]:
    """An object with none but these fields. Raises :class:`Problem`."""
    if not isinstance(body, dict):
        raise Problem.of_body([{"pointer": "", "detail": "it is not an object"}])
    for name in body:
        if name not in fields:
            raise Problem.of_body([{"pointer": f"/{name[:80]}", "detail": unknown(name, fields, "field")}])
    for name in needed:
        if body.get(name) is None:
            raise Problem.of_body([{"pointer": f"/{name}", "detail": "there is none, and it is needed"}])
    return {name: value for name, value in body.items() if value is not None}


def schema_json(schema: LabelSchemaVersion) -> dict[str, Any]:
    """A label schema."""
    return {**asdict(schema), "input": dict(schema.input)}


def session_json(
    record: LabelingSessionRecord,
    questions: Iterable[LabelSchemaVersion],
    reviewers: Iterable[ReviewerRecord],
    counts: tuple[int, int],
) -> dict[str, Any]:
    """A session with its questions and who works on it, without links."""
    return {
        "session_id": record.session_id,
        "name": record.name,
        "run_id": record.run_id,
        "status": record.status,
        "created_at": iso_of_milliseconds(record.created_ms),
        "path": f"/labeling/{record.session_id}",
        "label_schemas": [schema_json(each) for each in questions],
        "settings": asdict(record.settings),
        "reviewers": [reviewer_json(each) for each in reviewers],
        "items": counts[0],
        "answers": counts[1],
    }


def reviewer_json(record: ReviewerRecord) -> dict[str, Any]:
    """Who works on a session."""
    return {
        "reviewer": record.reviewer,
        "role": record.role,
        "link_expires_at": iso_of_milliseconds(record.expires_ms),
    }


def link_path(token: str) -> str:
    """Where a reviewer's link leads."""
    return f"/review/{quote(token, safe='')}"


def item_json(item: Item) -> dict[str, Any]:
    """An item."""
    return {
        "item_id": item.item_id,
        "kind": item.kind,
        "trace_id": item.trace_id or None,
        "span_id": item.span_id or None,
        "session_id": item.conversation_id or None,
        "reason": item.reason or None,
    }


def items_of(body: Mapping[str, Any]) -> list[Item]:
    """The items that a body names. Raises :class:`InvalidLabeling`."""
    reason = "" if body.get("reason") is None else plain_text("reason", body["reason"], LONGEST_REASON)
    traces, spans, conversations = (_list(body, name) for name in ("trace_ids", "spans", "session_ids"))
    if len(traces) + len(spans) + len(conversations) > MOST:
        raise InvalidLabeling(f"there are more than {MOST} items; add fewer at a time")
    return [
        *(trace_item(_trace_id("trace_ids", each), reason) for each in traces),
        *(_span(each, reason) for each in spans),
        *(
            conversation_item(plain_text("session_ids", each, LONGEST_CONVERSATION_ID), reason)
            for each in conversations
        ),
    ]


def _span(given: object, reason: str) -> Item:
    if not isinstance(given, dict) or set(given) != {"trace_id", "span_id"}:
        raise InvalidLabeling(f"spans: {brief(given)} is not an object with a trace_id and a span_id")
    try:
        span_id = span_id_or_none(given["span_id"])
    except InvalidAssessment as error:
        raise InvalidLabeling(f"spans: {error}") from None
    if span_id is None:
        raise InvalidLabeling("spans: there is no span_id; give 16 hexadecimal digits")
    return span_item(_trace_id("spans", given["trace_id"]), span_id, reason)


def _trace_id(argument: str, given: object) -> str:
    try:
        found = trace_id_or_none(given)
    except InvalidAssessment as error:
        raise InvalidLabeling(f"{argument}: {str(error).partition(': ')[2]}") from None
    if found is None:
        raise InvalidLabeling(f"{argument}: None is not 32 hexadecimal digits, as OpenTelemetry writes it")
    return found


def _list(body: Mapping[str, Any], name: str) -> list[Any]:
    found = body.get(name, [])
    if not isinstance(found, list):
        raise InvalidLabeling(f"{name}: {brief(found)} is not a list")
    return found
