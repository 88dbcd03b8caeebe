"""The time that a run covers."""

from dataclasses import dataclass
from typing import Final

from hansei.evaluation.batch.config import Subjects
from hansei.evaluation.batch.record import BatchRecord

MILLISECOND: Final = 1_000_000
"""Nanoseconds."""


@dataclass(frozen=True, slots=True)
class Window:
    """Subjects that ended from ``start`` to before ``end``; those from ``look_from`` on are looked at again.

    Milliseconds since 1970.
    """

    start: int
    end: int
    look_from: int
    """Subjects that ended before ``start`` were seen: again they count where spans came late, or a score failed."""
    back_fill: bool = False
    """Whether it was asked for, and so does not move the watermark."""

    @property
    def empty(self) -> bool:
        """Whether nothing can have ended in it."""
        return self.end <= self.start


def next_window(record: BatchRecord | None, subjects: Subjects, now_ms: int) -> Window:
    """From the watermark to where nothing that comes late, or goes on, is to be expected any more."""
    end = now_ms - _ms(subjects.lateness) - _ms(subjects.closed_after)
    if record is None or not record.watermark_ms:
        start = end - _ms(subjects.window)
        return Window(start, end, start)
    start = record.watermark_ms
    look_from = start - _ms(subjects.reopen)
    if record.retry_from_ms:
        look_from = min(look_from, max(record.retry_from_ms, start - _ms(subjects.retry)))
    return Window(start, max(end, start), look_from)


def back_fill(since_ms: int | None, until_ms: int | None, subjects: Subjects, now_ms: int) -> Window:
    """The time that was asked for; without an end up to what is complete."""
    complete = now_ms - _ms(subjects.lateness) - _ms(subjects.closed_after)
    end = complete if until_ms is None else min(until_ms, complete)
    start = end - _ms(subjects.window) if since_ms is None else since_ms
    return Window(start, max(end, start), start, back_fill=True)


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
