"""What people say of something, where several have said it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hansei.evaluation.consensus import consensus_of
from hansei.feedback.labeling.labels import DECIDED_BETWEEN


@dataclass(frozen=True, slots=True)
class Said:
    """A feedback or an expectation, as agreement looks at it."""

    value: Any
    source_id: str
    rationale: str = ""
    decides: bool = False
    """Whether it is an arbiter's decision."""
    time_ms: int = 0

    @classmethod
    def of(cls, value: Any, source_id: str, rationale: str, metadata: Any, time_ms: int) -> "Said":
        """Of the columns of a stored one."""
        return cls(value, source_id, rationale, bool((metadata or {}).get(DECIDED_BETWEEN)), time_ms)


@dataclass(frozen=True, slots=True)
class Held:
    """What holds, by which rule, and who says so."""

    value: Any
    rule: str
    """``adjudicated``, ``only``, ``unanimous`` or ``majority``, as for expectations."""
    source_ids: Sequence[str]
    rationale: str = ""


def held_by_people(said: Sequence[Said]) -> Held | None:
    """What holds of what people said, the oldest first; None where they disagree and nobody has decided.

    What an arbiter decided last; else the newest of each person: what all say, or more than half of them.
    """
    found = consensus_of(
        said, source=lambda each: each.source_id, value=lambda each: each.value, decides=lambda each: each.decides
    )
    if found is None:
        return None
    rule, holding = found
    rationale = "\n".join(dict.fromkeys(each.rationale for each in holding if each.rationale))
    return Held(holding[-1].value, rule, [each.source_id for each in holding], rationale)
