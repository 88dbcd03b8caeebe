"""Runs and rows as the API takes and gives them, checked field by field."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, Final, TypeVar

from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.runs.record import KINDS, RUNNING, STATUSES, RowScore, RunRecord, RunRow
from hansei.feedback.labeling.texts import brief
from hansei.feedback.text import sendable

T = TypeVar("T")

LONGEST_NAME: Final = 200
"""Characters."""


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidEvaluation(f"{name}: {brief(value)} is not a text")
    return sendable(value).replace("\0", "")


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise InvalidEvaluation(f"{name}: {brief(value)} is not a whole number from 0 on")
    return value


def _count(name: str, value: object) -> int:
    number = _whole(name, value)
    if number >= 2**32:
        raise InvalidEvaluation(f"{name}: {number} is more than {2**32 - 1}")
    return number


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidEvaluation(f"{name}: {brief(value)} is not a number")
    return float(value)


def _object(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidEvaluation(f"{name}: {brief(value)} is not an object")
    return dict(value)


def _texts(name: str, value: object) -> dict[str, str]:
    return {_text(name, key): _text(f"{name}.{key}", each) for key, each in _object(name, value).items()}


def _numbers(name: str, value: object) -> dict[str, float]:
    return {_text(name, key): _number(f"{name}.{key}", each) for key, each in _object(name, value).items()}


def _pairs(name: str, value: object) -> dict[str, list[float]]:
    found = {}
    for key, each in _object(name, value).items():
        if not isinstance(each, Sequence) or len(each) != 2:
            raise InvalidEvaluation(f"{name}.{key}: {brief(each)} is not a list of two numbers")
        found[key] = [_number(f"{name}.{key}", end) for end in each]
    return found


def _any(_: str, value: object) -> object:
    return value


def _or_none(check: Callable[[str, object], T]) -> Callable[[str, object], T | None]:
    return lambda name, value: None if value is None else check(name, value)


_RUN: Final[Mapping[str, Callable[[str, object], Any]]] = {
    "name": _text, "kind": _text, "status": _text, "config": _object, "metrics": _numbers, "intervals": _pairs,
    "funnel": _object, "dataset_id": _text, "dataset_version": _count, "labeling_session_id": _text, "batch": _text,
    "window_start_ms": _or_none(_whole), "window_end_ms": _or_none(_whole), "message": _text, "tags": _texts,
}  # fmt: skip
_ROW: Final[Mapping[str, Callable[[str, object], Any]]] = {
    "position": _count, "trace_id": _text, "session_id": _text, "record_id": _text, "inputs": _any, "outputs": _any,
    "expectations": _object, "expected_by": _object, "tags": _texts, "error": _text, "duration_ms": _number,
}  # fmt: skip
_SCORE: Final[Mapping[str, Callable[[str, object], Any]]] = {
    "name": _text, "scorer": _text, "version": _text, "value": _any, "rationale": _text, "source_type": _text,
    "source_id": _text, "error": _text, "skipped": _text, "assessment_id": _text, "span_id": _text,
    "duration_ms": _number, "cost_usd": _or_none(_number),
}  # fmt: skip
CHANGES: Final = ("status", "metrics", "intervals", "funnel", "message", "tags")
"""What may be said of a run that is under way."""
NEW: Final = tuple(name for name in _RUN if name not in ("status", "metrics", "intervals", "message"))
"""What may be said of a run that begins."""


def new_run(body: Mapping[str, Any], run_id: str, now_ms: int) -> RunRecord:
    """A run that begins now. Raises :class:`InvalidEvaluation`."""
    found = _checked(_RUN, body)
    if not found.get("name", "").strip() or len(found["name"]) > LONGEST_NAME:
        raise InvalidEvaluation(f"name: {brief(found.get('name'))} is not a text of 1 to {LONGEST_NAME} characters")
    found.setdefault("kind", KINDS[0])
    if found["kind"] not in KINDS:
        raise InvalidEvaluation(f"kind: {brief(found['kind'])} is not one of {', '.join(KINDS)}")
    return RunRecord(run_id=run_id, status=RUNNING, started_ms=now_ms, **found)


def changes_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """What changes of a run. Raises :class:`InvalidEvaluation`."""
    found = _checked(_RUN, body)
    if found.get("status", RUNNING) not in STATUSES:
        raise InvalidEvaluation(f"status: {brief(found['status'])} is not one of {', '.join(STATUSES)}")
    return found


def rows_of(given: object) -> list[RunRow]:
    """Rows. Raises :class:`InvalidEvaluation`."""
    if not isinstance(given, list):
        raise InvalidEvaluation(f"rows: {brief(given)} is not a list")
    return [_row(f"rows.{index}", each) for index, each in enumerate(given)]


def _row(name: str, given: object) -> RunRow:
    body = _object(name, given)
    scores = body.pop("scores", [])
    if "position" not in body:
        raise InvalidEvaluation(f"{name}.position: there is none, and it is needed")
    if not isinstance(scores, list):
        raise InvalidEvaluation(f"{name}.scores: {brief(scores)} is not a list")
    made = [_score(f"{name}.scores.{index}", each) for index, each in enumerate(scores)]
    return RunRow(**_checked(_ROW, body, name), scores=made)


def _score(name: str, given: object) -> RowScore:
    body = {"name": "", "scorer": "", "version": "", **_object(name, given)}
    return RowScore(**_checked(_SCORE, body, name))


def _checked(
    checks: Mapping[str, Callable[[str, object], Any]], body: Mapping[str, Any], inside: str = ""
) -> dict[str, Any]:
    found = {}
    for key, value in body.items():
        name = f"{inside}.{key}" if inside else key
        if key not in checks:
            raise InvalidEvaluation(f"{name[:200]}: there is no such field; there are {', '.join(checks)}")
        found[key] = checks[key](name, value)
    return found


def run_json(record: RunRecord) -> dict[str, Any]:
    """A run."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def row_json(row: RunRow) -> dict[str, Any]:
    """A row."""
    return asdict(row)
