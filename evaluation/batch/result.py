"""What came of a run of a batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

DONE: Final = 0
FAILED_SCORES: Final = 1
MISTAKE: Final = 2
BUDGET_SPENT: Final = 3
HELD_ELSEWHERE: Final = 4
NOT_DONE: Final = 5
INTERRUPTED: Final = 143
"""Exit codes, for schedulers."""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """A run of a batch that has ended. Times in milliseconds since 1970."""

    name: str
    run_id: str
    """Empty of a dry run."""
    status: str
    """``finished``, ``stopped`` by the budget or by hand, ``failed``, or ``dry``."""
    window: tuple[int, int]
    funnel: Mapping[str, Any]
    metrics: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, Sequence[float]] = field(default_factory=dict)
    message: str = ""
    cost_usd: float | None = None
    """Of judging in this run; None where no price is known."""
    seconds: float = 0.0
    calls: int = 0
    """Of a dry run: questions to models that there would be, at least."""
    budget_spent: bool = False
    url: str = ""

    @property
    def failed(self) -> int:
        """Scores that failed."""
        return sum(int(each["failed"]) for each in self.funnel.get("scorers", {}).values())

    @property
    def exit_code(self) -> int:
        """0: all done; 1: with failed scores; 3: stopped by the budget; 5: it could not go on; 143: stopped by hand."""
        if self.budget_spent:
            return BUDGET_SPENT
        if self.status == "failed":
            return NOT_DONE
        if self.status == "stopped":
            return INTERRUPTED
        return FAILED_SCORES if self.failed else DONE
