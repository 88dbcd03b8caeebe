"""A batch as it is stored and sent: how far it has come, and when it runs next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

STATUSES: Final = ("", "running", "finished", "failed", "stopped")
"""Of the last run; none before the first."""


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """A batch that is run again and again. Times in milliseconds since 1970."""

    name: str
    config: Mapping[str, Any] = field(default_factory=dict)
    """As it was last run, without secrets."""
    schedule: str = ""
    """Cron's five fields; empty where it is run by hand."""
    watermark_ms: int = 0
    """All subjects that ended before this have been seen; 0 before the first run."""
    retry_from_ms: int = 0
    """Subjects that ended before this have no failed score that is tried again."""
    next_run_ms: int | None = None
    last_run_id: str = ""
    status: str = ""
