"""What is scored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from hansei.feedback.search.trace import Trace

SubjectKind = Literal["trace", "session"]


@dataclass(frozen=True, slots=True)
class Subject:
    """A trace or a conversation, with what scorers look at."""

    kind: SubjectKind
    subject_id: str
    """The trace id or the session id."""
    inputs: Any = None
    """What the application was asked: parsed JSON, None where it was not recorded."""
    outputs: Any = None
    """What it answered."""
    expectations: Mapping[str, Any] = field(default_factory=dict)
    """What would have been right, by name."""
    trace: Trace | None = None
    """The whole trace: read where a scorer needs it, None where none does."""
    session: Sequence[Trace] = ()
    """The traces of a conversation, in the order in which they began."""
    session_id: str | None = None
    """The conversation that a trace is part of."""
    tags: Mapping[str, str] = field(default_factory=dict)
    time_ms: int = 0
    """When it began, milliseconds since 1970."""
    weight: float = 1.0
    """How many subjects it stands for: one over the probability with which it was drawn."""
    revision: str = ""
    """Changes when spans come late; empty where nobody asks."""

    @property
    def trace_id(self) -> str | None:
        """Of a trace; None of a conversation."""
        return self.subject_id if self.kind == "trace" else None

    @property
    def assessed_session_id(self) -> str | None:
        """What an assessment names: the conversation itself, or the one of the trace."""
        return self.subject_id if self.kind == "session" else self.session_id
