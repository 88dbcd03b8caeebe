"""What a reviewer gets from the desk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from hansei.feedback.labeling.model import Item

Answers: TypeAlias = Mapping[str, Mapping[str, Any]]
"""By the name of the question: ``{"value": …, "comment": "…"}``. A question without an answer is missing, or its value
is None; a comment may be missing, None or empty."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """An item, and what this reviewer has said of it so far."""

    item: Item
    state: str
    """``leased``: it is this reviewer's to answer. ``done``: handed in; it may still be changed. ``skipped``.
    ``released``: the reviewer had it, and it is not theirs now, because the lease ran out and others have it, or the
    organiser took it back."""
    answers: Answers
    """The draft, or what was handed in."""
    revision: int
    """Of the draft; the next one that is saved has a larger one."""
    seconds: float
    """With the item in view, so far; count on from here."""
    lease_until_ms: int | None
    """Unix milliseconds; None where there is no lease, or none is needed."""
    flag: str = ""
    """What the reviewer wrote to the organiser about it."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of a submission."""

    item_id: str
    labels: Mapping[str, str]
    """The ids of the assessments that hold now, by question."""
    recorded: Sequence[str] = ()
    """The questions whose answers are new in the ledger."""
    changed: Sequence[str] = ()
    retracted: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ReviewerProgress:
    """How far a reviewer is."""

    position: int
    """Of the item that the reviewer has now, or is to have next: 1 is the first."""
    done: int
    left: int
    """Items that are left for this reviewer, the one at hand included: what nobody has yet, shared out between those
    who were at work in the last hour."""
    seconds_left: float | None
    """How long that takes, by the median of what an item took; None where nothing is known."""


@dataclass(frozen=True, slots=True)
class OwnItem:
    """An item that a reviewer has or had."""

    item_id: str
    state: str
    """As :attr:`Assigned.state`."""
    leased_ms: int
    """Unix milliseconds at which the reviewer got it."""
    flag: str = ""
