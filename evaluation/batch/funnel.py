"""How many subjects there were, and what became of them: the funnel of a run.

It is stored as JSON in ``evaluation_runs.Funnel`` while the run goes on and at its end::

    {
      "seen": 1200,          # subjects in the window that fit the filter, and those of "again"
      "not_sampled": 1080,   # of these not drawn
      "selected": 120,       # seen = not_sampled + selected
      "again": 3,            # of those selected: seen by a run before, looked at again for spans that came late
                             # or a score that failed
      "scorers": {           # by the scorer's name
        "correctness": {
          "version": "4f0c51d2a9be",
          "scored": 70,      # selected = scored + failed + skipped + kept + unasked
          "failed": 2,
          "skipped": 8,      # the scorer had nothing to say of them
          "kept": 40,        # their score was there already
          "unasked": 0,      # the budget was spent, or the run was stopped
          "errors": {"JudgeError: …": 2},                # why they failed, by how many
          "reasons": {"there is no expected answer": 8}  # why they were skipped
        }
      }
    }

``unasked`` is told at the end; while a run goes on the rest of ``selected`` waits. ``errors`` and ``reasons`` hold the
twenty texts that came first, others are counted under ``…``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hansei.evaluation.scorer import Scorer
from hansei.evaluation.scoring import Score

_TEXTS: Final = 20
_LONGEST: Final = 200
OTHERS: Final = "…"


@dataclass(slots=True)
class ScorerCounts:
    """What became of the subjects of one scorer."""

    version: str
    scored: int = 0
    failed: int = 0
    skipped: int = 0
    kept: int = 0
    unasked: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """Of how many something is known."""
        return self.scored + self.failed + self.skipped + self.kept

    def add(self, score: Score) -> None:
        """Count what the scorer said of a subject."""
        if score.unasked:
            return
        if score.error:
            self.failed += 1
            _count(self.errors, score.error)
        elif score.skipped:
            self.skipped += 1
            _count(self.reasons, score.skipped)
        else:
            self.scored += 1

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "version": self.version,
            "scored": self.scored,
            "failed": self.failed,
            "skipped": self.skipped,
            "kept": self.kept,
            "unasked": self.unasked,
            "errors": dict(self.errors),
            "reasons": dict(self.reasons),
        }


class Funnel:
    """The funnel of a run. For one thread."""

    def __init__(self, scorers: Sequence[Scorer]) -> None:
        self.seen = 0
        self.not_sampled = 0
        self.selected = 0
        self.again = 0
        self.scorers = {scorer.name: ScorerCounts(scorer.version) for scorer in scorers}

    def select(self, *, drawn: int, not_drawn: int, again: int) -> None:
        """Some subjects were seen, of which some were drawn; and of others, seen before, some have to be done again."""
        self.seen += drawn + not_drawn + again
        self.not_sampled += not_drawn
        self.selected += drawn + again
        self.again += again

    def keep(self, scorer: Scorer) -> None:
        """A subject has its score already."""
        self.scorers[scorer.name].kept += 1

    def add(self, scores: Iterable[Score]) -> None:
        """What scorers said of a subject."""
        for score in scores:
            self.scorers[score.scorer.name].add(score)

    def close(self) -> None:
        """Nothing more is scored: what is left was not asked."""
        for counts in self.scorers.values():
            counts.unasked = self.selected - counts.done

    @property
    def failed(self) -> int:
        """Scores that failed."""
        return sum(counts.failed for counts in self.scorers.values())

    @property
    def unasked(self) -> int:
        """Scores that are not done."""
        return sum(counts.unasked for counts in self.scorers.values())

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "seen": self.seen,
            "not_sampled": self.not_sampled,
            "selected": self.selected,
            "again": self.again,
            "scorers": {name: counts.to_json() for name, counts in self.scorers.items()},
        }


def _count(texts: dict[str, int], text: str) -> None:
    key = " ".join(text.split())[:_LONGEST]
    if key not in texts and len(texts) >= _TEXTS:
        key = OTHERS
    texts[key] = texts.get(key, 0) + 1
