"""Two runs for the page that compares them: figures of all rows, and the rows that changed, a few at a time.

Of a row only its scores and a digest of its inputs are held; what a page shows of it is read again.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from hansei.evaluation.errors import EvaluationError, InvalidEvaluation
from hansei.evaluation.runs.numbers import number_of
from hansei.evaluation.runs.record import RowScore, RunRecord, RunRow
from hansei.evaluation.runs.row_pairs import RowPair, paired_rows
from hansei.evaluation.runs.store import read_rows, read_rows_at
from hansei.feedback.search.connection import Query

if TYPE_CHECKING:
    from hansei.evaluation.runs.comparison import Comparison, MetricComparison

MOST_ROWS: Final = 5_000
"""Of a run; more are compared in Python."""
_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class ChangedPair:
    """Two rows about the same that were scored differently, by their positions in their runs."""

    before: int
    after: int
    differences: Mapping[str, float]
    """By score: the second less the first, over the largest change of that score in any row."""


@dataclass(frozen=True, slots=True)
class Means:
    """Means by score, and their 95 % intervals."""

    means: Mapping[str, float]
    intervals: Mapping[str, Sequence[float]]

    def interval(self, metric: "MetricComparison", mean: float) -> Sequence[float] | None:
        """The interval of a mean; None where there is none, or it is of other rows."""
        for name in (f"{metric.name}/mean", f"{metric.name}/share"):
            if name in self.means and abs(self.means[name] - mean) <= 1e-9 * max(1.0, abs(mean)):
                return self.intervals.get(name)
        return None


@dataclass(frozen=True, slots=True)
class ComparedRuns:
    """What two runs come to against each other."""

    comparison: "Comparison"
    """Without its rows."""
    changed: Sequence[ChangedPair]
    before: Means
    after: Means
    """Over the pairs in which both have the score."""

    def names(self) -> list[str]:
        """The scores that changed in some row."""
        return list(dict.fromkeys(name for pair in self.changed for name in pair.differences))

    def ordered(self, name: str = "", *, risen: bool = False) -> list[ChangedPair]:
        """The pairs that changed, of one score or of all together: those that fell furthest first, or that rose."""
        found = [pair for pair in self.changed if not name or name in pair.differences]

        def key(pair: ChangedPair) -> tuple[float, int]:
            change = pair.differences[name] if name else sum(pair.differences.values())
            return (-change if risen else change), pair.before

        return sorted(found, key=key)


@dataclass(frozen=True, slots=True)
class ScorePair:
    """A score on both sides; None where a side has none."""

    name: str
    before: RowScore | None
    after: RowScore | None

    @property
    def change(self) -> str:
        """``higher``, ``lower``, ``other``; empty where it is the same, or one side has no value."""
        if self.before is None or self.after is None or self.before.value is None or self.after.value is None:
            return ""
        if self.before.value == self.after.value:
            return ""
        first, second = number_of(self.before.value), number_of(self.after.value)
        if first is None or second is None:
            return "other"
        return "higher" if second > first else "lower" if second < first else ""


@dataclass(frozen=True, slots=True)
class ShownPair:
    """Two rows about the same, whole."""

    before: RunRow
    after: RunRow

    @property
    def scores(self) -> list[ScorePair]:
        """What was said on both sides, by name; what changed comes first."""
        first = {score.name: score for score in self.before.scores}
        second = {score.name: score for score in self.after.scores}
        found = [ScorePair(name, first.get(name), second.get(name)) for name in {**first, **second}]
        return sorted(found, key=lambda pair: not pair.change)


def compared_runs(query: Query, before: RunRecord, after: RunRecord) -> ComparedRuns:
    """Compare two evaluations. Raises ``EvaluationError``."""
    try:
        # Here, since it brings numpy and scipy with it.
        from hansei.evaluation.runs.comparison import compare_rows
    except ImportError as error:
        raise EvaluationError(
            "comparing needs numpy and scipy where hansei serve runs: pip install 'hansei[evaluation]'"
        ) from error
    first, second = (list(_slim_rows(query, run)) for run in (before, after))
    comparison = compare_rows(first, second, names=(before.name, after.name))
    pairs, _, _ = paired_rows(first, second)
    return ComparedRuns(replace(comparison, changed=[]), _changed(comparison), *_means(pairs))


def shown_pairs(query: Query, before: RunRecord, after: RunRecord, pairs: Sequence[ChangedPair]) -> list[ShownPair]:
    """The rows of some pairs."""
    first = {row.position: row for row in read_rows_at(query, before.run_id, [pair.before for pair in pairs])}
    second = {row.position: row for row in read_rows_at(query, after.run_id, [pair.after for pair in pairs])}
    return [
        ShownPair(first[pair.before], second[pair.after])
        for pair in pairs
        if pair.before in first and pair.after in second
    ]


def other_versions(before: RunRecord, after: RunRecord) -> list[tuple[str, str, str]]:
    """The scorers of both runs that are not the same in both, with their versions."""
    first, second = (_versions(run) for run in (before, after))
    return [(name, one, second[name]) for name, one in first.items() if second.get(name, one) != one]


def _versions(run: RunRecord) -> dict[str, str]:
    counted = run.funnel.get("scorers")
    if not isinstance(counted, Mapping):
        return {}
    return {name: str(each.get("version", "")) for name, each in counted.items() if isinstance(each, Mapping)}


def _means(pairs: Sequence[RowPair]) -> tuple[Means, Means]:
    from hansei.evaluation.runs.statistics import metrics_of

    values: tuple[dict[str, list[object]], dict[str, list[object]]] = ({}, {})
    clusters: dict[str, list[str]] = {}
    for before, after in pairs:
        first, second = ({score.name: score.value for score in row.scores} for row in (before, after))
        for name, value in first.items():
            if value is not None and second.get(name) is not None:
                values[0].setdefault(name, []).append(value)
                values[1].setdefault(name, []).append(second[name])
                clusters.setdefault(name, []).append(before.session_id)
    found = [Means(*metrics_of(side, clusters=clusters)) for side in values]
    return found[0], found[1]


def _slim_rows(query: Query, run: RunRecord) -> Iterator[RunRow]:
    if run.kind == "batch":
        raise InvalidEvaluation(
            f"{run.name} is a run of a batch, and this page compares evaluations; in Python, "
            "hansei.compare(run_a, run_b) compares batches too"
        )
    start = 0
    while True:
        found = read_rows(query, run.run_id, start=start, limit=_AT_ONCE)
        for count, row in enumerate(found, start):
            if count >= MOST_ROWS:
                raise EvaluationError(
                    f"{run.name} has more than {MOST_ROWS:,} rows, which this page does not compare; in Python, "
                    "hansei.compare(run_a, run_b) does"
                )
            yield replace(
                row,
                inputs=_digest(row.inputs),
                outputs=None,
                expectations={},
                expected_by={},
                scores=[replace(score, rationale="") for score in row.scores],
            )
        if len(found) < _AT_ONCE:
            return
        start = found[-1].position + 1


def _digest(inputs: Any) -> str | None:
    if inputs is None:
        return None
    text = json.dumps(inputs, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _changed(comparison: "Comparison") -> list[ChangedPair]:
    largest: dict[str, float] = {}
    for row in comparison.changed:
        largest[row.name] = max(largest.get(row.name, 0.0), abs(row.difference))
    found: dict[tuple[int, int], dict[str, float]] = {}
    for row in comparison.changed:
        places = (row.before.position, row.after.position)
        found.setdefault(places, {})[row.name] = row.difference / largest[row.name]
    return [ChangedPair(*places, differences) for places, differences in found.items()]
