"""Runs and their rows as they are stored and sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

KINDS: Final = ("evaluate", "batch")
RUNNING: Final = "running"
STATUSES: Final = (RUNNING, "finished", "failed", "stopped")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run. Times in milliseconds since 1970."""

    run_id: str
    name: str
    kind: str
    status: str
    started_ms: int
    ended_ms: int | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Of metrics: the two ends of the 95 % interval."""
    funnel: Mapping[str, Any] = field(default_factory=dict)
    dataset_id: str = ""
    dataset_version: int = 0
    labeling_session_id: str = ""
    batch: str = ""
    window_start_ms: int | None = None
    window_end_ms: int | None = None
    message: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowScore:
    """What a scorer said of a row. ``value`` is any JSON; None where there is an error or nothing to say."""

    name: str
    scorer: str
    version: str
    value: Any = None
    rationale: str = ""
    source_type: str = ""
    source_id: str = ""
    error: str = ""
    skipped: str = ""
    assessment_id: str = ""
    span_id: str = ""
    duration_ms: float = 0.0
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class RunRow:
    """A row of a run over given data."""

    position: int
    trace_id: str = ""
    session_id: str = ""
    record_id: str = ""
    inputs: Any = None
    outputs: Any = None
    expectations: Mapping[str, Any] = field(default_factory=dict)
    expected_by: Mapping[str, Any] = field(default_factory=dict)
    """Of expectations: which assessment each was taken from, whose, and by which rule."""
    tags: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    """Why there are no outputs."""
    duration_ms: float = 0.0
    scores: Sequence[RowScore] = ()
