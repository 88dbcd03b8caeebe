"""What labeling is made of, as the tables hold it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

FEEDBACK: Final = "feedback"
EXPECTATION: Final = "expectation"
TYPES: Final = (FEEDBACK, EXPECTATION)

OPEN: Final = "open"
CLOSED: Final = "closed"

REVIEWER: Final = "reviewer"
ARBITER: Final = "arbiter"

TRACE: Final = "trace"
SPAN: Final = "span"
CONVERSATION: Final = "session"
ITEM_KINDS: Final = (TRACE, SPAN, CONVERSATION)

LEASED: Final = "leased"
DONE: Final = "done"
SKIPPED: Final = "skipped"
RELEASED: Final = "released"


@dataclass(frozen=True, slots=True)
class LabelSchemaVersion:
    """A question, in one of its versions; ``input`` is the JSON of an input."""

    name: str
    version: int
    type: str
    """``feedback`` or ``expectation``."""
    input: Mapping[str, Any]
    title: str
    instruction: str | None = None
    enable_comment: bool = False


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """How the work of a session is shared out."""

    reviewers_per_item: int = 1
    show_feedback: bool = False
    """Whether reviewers see what was said of an item before."""
    lease_minutes: float = 30.0
    """How long an item is kept for who has it, without a sign of life."""
    link_days: float = 30.0
    """How long a reviewer's link is good for."""
    rules: Sequence[Mapping[str, Any]] = ()
    """Rules by which traces keep being added while the session is open."""


@dataclass(frozen=True, slots=True)
class LabelingSessionRecord:
    """A labeling session."""

    session_id: str
    name: str
    run_id: str
    label_schemas: Sequence[tuple[str, int]]
    """Names and versions, in the order in which they are asked."""
    settings: SessionSettings = field(default_factory=SessionSettings)
    status: str = OPEN
    created_ms: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """What is looked at: a trace, one of its spans, or a conversation."""

    item_id: str
    kind: str
    """``trace``, ``span`` or ``session``."""
    trace_id: str = ""
    span_id: str = ""
    conversation_id: str = ""
    reason: str = ""
    position: int = 0


@dataclass(frozen=True, slots=True)
class ReviewerRecord:
    """Someone who works on a session."""

    session_id: str
    reviewer: str
    role: str
    link_hash: str
    expires_ms: int


@dataclass(frozen=True, slots=True)
class Work:
    """What a reviewer has done with an item."""

    item_id: str
    reviewer: str
    state: str
    leased_ms: int
    lease_until_ms: int
    draft: Mapping[str, Any] = field(default_factory=dict)
    flag: str = ""
    seconds: float = 0.0
    written: int = 0
