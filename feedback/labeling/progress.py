"""How far a session is."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hansei.feedback.labeling.model import LabelingSessionRecord
from hansei.feedback.labeling.statements import statement
from hansei.feedback.search.connection import Query


@dataclass(frozen=True, slots=True)
class ReviewerProgress:
    """What one has done, of the items that are still there."""

    reviewer: str
    role: str
    """``reviewer`` or ``arbiter``; empty for one who works on the session no more."""
    done: int
    in_work: int
    skipped: int
    flagged: int
    median_seconds: float | None
    """Of an answered item; None where no time was taken."""
    last_ms: int | None
    """When an item was last given out to them, milliseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A session's items and what has become of them."""

    items: int
    done: int
    """Items that as many reviewers as are asked for have answered."""
    begun: int
    """Items that some have answered, and not yet enough."""
    in_work: int
    """Items that somebody has in hand now."""
    skipped: int
    """Items that somebody skipped."""
    flagged: int
    """Items of which somebody wants the organiser to know something."""
    answers: int
    """Answered items, once for each reviewer who answered."""
    remaining: int
    """Answers that are missing until all items are done."""
    median_seconds: float | None
    """Of an answered item; None where no time was taken."""
    seconds_left: float | None
    """The median for each answer that is missing; None where no time was taken and something is missing."""
    reviewers: tuple[ReviewerProgress, ...]


def read_progress(query: Query, session: LabelingSessionRecord, *, now_ms: int | None = None) -> Progress:
    """How far a session is."""
    asked: dict[str, object] = {
        "session_id": session.session_id,
        "wanted": session.settings.reviewers_per_item,
        "now": time.time_ns() // 1_000_000 if now_ms is None else now_ms,
    }
    (whole,) = query(statement("labeling_progress"), asked)
    (time_taken,) = query(statement("labeling_median_seconds"), asked)
    median = _median(time_taken)
    left = whole["Remaining"]
    return Progress(
        items=whole["Items"],
        done=whole["Done"],
        begun=whole["Begun"],
        in_work=whole["InWork"],
        skipped=whole["Skipped"],
        flagged=whole["Flagged"],
        answers=whole["Answers"],
        remaining=left,
        median_seconds=median,
        seconds_left=0.0 if not left else None if median is None else median * left,
        reviewers=_reviewers(query, asked),
    )


def read_counts(query: Query, session_ids: Sequence[str] | None = None) -> dict[str, tuple[int, int]]:
    """The items and the answers of all sessions, or of some, by id; one that has none of both is left out."""
    rows = query(statement("labeling_counts"), {"all": session_ids is None, "session_ids": list(session_ids or ())})
    return {row["SessionId"]: (row["Items"], row["Answers"]) for row in rows}


def _reviewers(query: Query, asked: dict[str, object]) -> tuple[ReviewerProgress, ...]:
    done = {row["Reviewer"]: row for row in query(statement("labeling_progress_of_reviewers"), asked)}
    roles = {row["Reviewer"]: row["Role"] for row in query(statement("labeling_reviewers"), asked)}
    return tuple(_reviewer(name, roles.get(name, ""), done.get(name)) for name in sorted({*done, *roles}))


def _reviewer(name: str, role: str, row: dict[str, Any] | None) -> ReviewerProgress:
    if row is None:
        return ReviewerProgress(name, role, 0, 0, 0, 0, None, None)
    return ReviewerProgress(
        reviewer=name,
        role=role,
        done=row["Done"],
        in_work=row["InWork"],
        skipped=row["Skipped"],
        flagged=row["Flagged"],
        median_seconds=_median(row),
        last_ms=row["LastMs"] or None,
    )


def _median(row: dict[str, Any]) -> float | None:
    # The engine's median of nothing is no number.
    return float(row["MedianSeconds"]) if row["Timed"] else None
