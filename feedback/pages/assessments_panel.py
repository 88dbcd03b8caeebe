"""What was said of a trace and its spans, as the page lists it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hansei.feedback.assessment import Assessment, Expectation
from hansei.feedback.pages.named_sql import named_sql
from hansei.feedback.search.assessments import assessments_of
from hansei.feedback.search.connection import Query

_RUN_ID: Final = re.compile("[0-9a-f]{32}")
_SOURCES: Final = {"HUMAN": ("human", "Person"), "LLM_JUDGE": ("judge", "Judge"), "CODE": ("", "Code")}


@dataclass(frozen=True, slots=True)
class Shown:
    """A value as it is written."""

    kind: str
    """``yes``, ``no``, ``number``, ``text``, ``json`` or ``error``."""
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An assessment in the list."""

    assessment: Assessment
    value: Shown
    overridden_by: str
    """By whom; empty where it holds."""

    @property
    def expectation(self) -> bool:
        """Whether it says what would have been right."""
        return isinstance(self.assessment, Expectation)

    @property
    def run_id(self) -> str:
        """The run of an evaluation that said it; empty where none did, or where it is a label."""
        run_id = self.assessment.evaluation_run_id or ""
        return run_id if _RUN_ID.fullmatch(run_id) and not self.assessment.labeling_session_id else ""

    @property
    def source(self) -> tuple[str, str, str]:
        """The chip's class, the kind of source, and who it is."""
        return source_shown(self.assessment.source.source_type, self.assessment.source.source_id) if (
            self.assessment.source) else ("", "", "")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """A line of an assessment's history."""

    at: int
    event: str
    """``said``, ``overrode``, ``corrected`` or ``retracted``."""
    name: str
    value: Shown | None
    rationale: str
    source: tuple[str, str, str]


def source_shown(kind: str, source_id: str) -> tuple[str, str, str]:
    """The class of a source's chip, what kind it is, and who; ``default`` is nobody in particular."""
    look, label = _SOURCES.get(kind, ("", kind.capitalize()))
    return look, label, "" if source_id == "default" else source_id


def shown(value: Any, error: str | None = None) -> Shown:
    """A value, or the error in its place."""
    if error:
        return Shown("error", error)
    if isinstance(value, bool):
        return Shown("yes", "yes") if value else Shown("no", "no")
    if isinstance(value, int | float):
        return Shown("number", f"{value:g}" if isinstance(value, float) else str(value))
    if isinstance(value, str):
        return Shown("text", value)
    return Shown("json", json.dumps(value, ensure_ascii=False, indent=2))


def read_assessments(query: Query, trace_id: str) -> list[Assessment]:
    """All that holds or is overridden, the newest first. Raises ``SearchError``."""
    return assessments_of(query, [trace_id])[trace_id]


def entries(assessments: Sequence[Assessment]) -> list[Entry]:
    """The list: what holds first."""
    overriding = {each.overrides: each for each in assessments if each.overrides}
    found = []
    for each in assessments:
        error = each.error.error_message or each.error.error_code if each.error else None
        by = None if each.valid else overriding.get(each.assessment_id or "")
        who = "another assessment" if by is None or by.source is None else " ".join(
            filter(None, source_shown(by.source.source_type, by.source.source_id)[1:]))  # fmt: skip
        found.append(Entry(each, shown(each.value, error), "" if each.valid else who))
    return sorted(found, key=lambda entry: not entry.assessment.valid)


def counts_by_span(assessments: Sequence[Assessment]) -> dict[str, int]:
    """How many speak of each span."""
    counts: dict[str, int] = {}
    for each in assessments:
        if each.span_id:
            counts[each.span_id] = counts.get(each.span_id, 0) + 1
    return counts


def read_history(query: Query, trace_id: str, assessment_id: str) -> list[Step]:
    """Who did what, when. Raises ``SearchError``."""
    asked = {"trace_id": trace_id, "assessment_id": assessment_id}
    return [_step(row) for row in query(named_sql("history_of_assessment"), asked)]


def _step(row: Mapping[str, Any]) -> Step:
    try:
        value = json.loads(row["Value"])
    except (ValueError, RecursionError):
        value = row["Value"]
    return Step(
        at=row["At"],
        event=row["Event"],
        name=row["Name"],
        value=None if row["Event"] == "retracted" else shown(value, row["Error"]),
        rationale=row["Rationale"],
        source=source_shown(row["SourceType"], row["SourceId"]),
    )


def read_names(query: Query) -> list[str]:
    """Names that assessments have, the most used first. Raises ``SearchError``."""
    return [row["Name"] for row in query(named_sql("names_of_assessments"), {})]


def events_since(query: Query, trace_id: str, assessment_id: str, since: int) -> int:
    """How many events of an assessment can be read, as the state that they make, that are not older than a moment
    (nanoseconds)."""
    asked = {"trace_id": trace_id, "assessment_id": assessment_id, "since": since}
    return int(query(named_sql("events_since"), asked)[0]["Events"])
