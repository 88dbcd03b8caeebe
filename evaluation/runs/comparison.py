"""Two runs against each other: what became better, what worse, and whether that is more than chance."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hansei.evaluation.runs.compared import compared_run
from hansei.evaluation.runs.comparison_text import comparison_html, comparison_text
from hansei.evaluation.runs.numbers import categories_of, flattened, number_of
from hansei.evaluation.runs.paired import PairedDifference, holm, paired_difference
from hansei.evaluation.runs.record import RunRow
from hansei.evaluation.runs.row_pairs import RowPair, paired_rows
from hansei.evaluation.runs.statistics import MOST_CATEGORIES

if TYPE_CHECKING:
    from hansei.feedback.search.frame import DataFrame

ALPHA: Final = 0.05
"""A difference that chance would give less often than this is told as one."""
NO_EVIDENCE: Final = "no evidence of a difference"
SMALLEST_SLICE: Final = 5
"""Pairs that a slice needs to be shown."""
MOST_SLICES: Final = 50
"""Values of a tag; with more of them it is no tag to slice by."""


@dataclass(frozen=True, slots=True)
class MetricComparison:
    """A score in both runs, over the rows in which both have it."""

    name: str
    """``correctness``; of categories ``tone/friendly``: the share of the rows that are in it."""
    found: PairedDifference
    adjusted_p: float | None
    """After Holm's correction for all scores that were compared; None of a slice, which is not tested."""
    only_before: int
    only_after: int
    """Pairs of rows in which one run alone has a value."""
    tag: str = ""
    tag_value: str = ""
    """The slice."""

    @property
    def is_different(self) -> bool:
        """Whether there is evidence of a difference."""
        return self.adjusted_p is not None and self.adjusted_p < ALPHA and self.found.difference != 0

    @property
    def verdict(self) -> str:
        """In words: ``higher``, ``lower``, or that there is no evidence of a difference."""
        if self.adjusted_p is None:
            return ""
        if not self.is_different:
            return NO_EVIDENCE
        return "higher" if self.found.difference > 0 else "lower"

    def to_json(self) -> dict[str, Any]:
        """As JSON can hold it."""
        own = {
            "name": self.name,
            "adjusted_p": self.adjusted_p,
            "only_before": self.only_before,
            "only_after": self.only_after,
            "tag": self.tag,
            "tag_value": self.tag_value,
            "verdict": self.verdict,
        }
        return {**own, **asdict(self.found)}


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A row whose value of a score is not what it was."""

    name: str
    before: RunRow
    after: RunRow
    before_value: Any
    after_value: Any
    difference: float

    @property
    def is_higher(self) -> bool:
        """Whether the value rose."""
        return self.difference > 0


@dataclass(frozen=True)
class Comparison:
    """What :func:`compare` finds."""

    before: str
    after: str
    """The names of the runs."""
    pairs: int
    """Rows that both have."""
    only_before: int
    only_after: int
    """Rows that one alone has; they are left out."""
    metrics: list[MetricComparison]
    slices: list[MetricComparison] = field(default_factory=list)
    """The same by the values of each tag; not tested, since so many tests would find something by chance."""
    changed: list[ChangedRow] = field(default_factory=list)
    """The rows that fell furthest first."""

    def won(self, name: str) -> list[ChangedRow]:
        """The rows in which a score rose."""
        return [row for row in reversed(self.changed) if row.name == name and row.is_higher]

    def lost(self, name: str) -> list[ChangedRow]:
        """The rows in which a score fell."""
        return [row for row in self.changed if row.name == name and not row.is_higher]

    def to_df(self) -> "DataFrame":
        """A row for each score. Raises ``SearchError`` where pandas is missing."""
        return _frame([each.to_json() for each in self.metrics])

    def slices_df(self) -> "DataFrame":
        """A row for each score in each slice. Raises ``SearchError`` where pandas is missing."""
        return _frame([each.to_json() for each in self.slices])

    def plot(self) -> Any:
        """A figure of matplotlib: the differences with their intervals."""
        from hansei.evaluation.runs.plots import plot_comparison

        return plot_comparison(self)

    def __str__(self) -> str:
        return comparison_text(self)

    def _repr_html_(self) -> str:
        return comparison_html(self)


def compare(run_a: object, run_b: object) -> Comparison:
    """Compare two runs, the earlier one first: an ``EvaluationResult`` each, the id of a run, or a ``result_df``.

    Over the rows that both have (the same record of a dataset, the same trace, or the same inputs) each score is
    compared by a paired test, with the size of the effect and an interval of the difference; p-values are corrected
    for the number of scores. Differences are ``run_b`` less ``run_a``: whether more is better only you know.

    Raises ``EvaluationError`` and ``SearchError``.
    """
    before, after = compared_run("run_a", run_a), compared_run("run_b", run_b)
    return compare_rows(before.rows, after.rows, names=(before.name, after.name))


def compare_rows(
    before: Sequence[RunRow], after: Sequence[RunRow], *, names: tuple[str, str] = ("before", "after")
) -> Comparison:
    """As :func:`compare`, of rows."""
    pairs, only_before, only_after = paired_rows(before, after)
    columns = list(_columns(pairs))
    found = [(column, one) for column in columns if (one := column.compared(range(len(pairs)))) is not None]
    adjusted = holm([one.p_value for _, one in found])
    metrics = [
        MetricComparison(column.name, one, p_value, *column.alone)
        for (column, one), p_value in zip(found, adjusted, strict=True)
    ]
    changed = [row for column in columns for row in column.changed(pairs)]
    changed.sort(key=lambda row: (row.difference, row.name, row.before.position))
    slices = list(_slices(pairs, columns))
    return Comparison(names[0], names[1], len(pairs), only_before, only_after, metrics, slices, changed)


class _Column:
    """A score's numbers in the pairs; None where there is none."""

    def __init__(
        self, name: str, before: Sequence[float | None], after: Sequence[float | None], pairs: Sequence[RowPair]
    ):
        self.name = name
        self._before = before
        self._after = after
        self._clusters = [first.session_id for first, _ in pairs]
        self.values: Sequence[tuple[Any, Any]] = list(zip(before, after, strict=True))
        """As they are shown."""

    @property
    def alone(self) -> tuple[int, int]:
        """How many pairs have a number on the first side alone, and on the second."""
        both = list(zip(self._before, self._after, strict=True))
        return sum(b is not None and a is None for b, a in both), sum(b is None and a is not None for b, a in both)

    def compared(self, places: Sequence[int] | range) -> PairedDifference | None:
        """Over some pairs; None where none has both."""
        before, after, clusters = [], [], []
        for place in places:
            first, second = self._before[place], self._after[place]
            if first is not None and second is not None:
                before.append(first)
                after.append(second)
                clusters.append(self._clusters[place])
        return paired_difference(before, after, clusters)

    def changed(self, pairs: Sequence[RowPair]) -> Iterator[ChangedRow]:
        """The pairs that differ."""
        for place, (first, second) in enumerate(pairs):
            before, after = self._before[place], self._after[place]
            if before is not None and after is not None and before != after:
                yield ChangedRow(self.name, first, second, *self.values[place], after - before)


def _columns(pairs: Sequence[RowPair]) -> Iterator[_Column]:
    sides = [[{score.name: score.value for score in row.scores} for row in side] for side in zip(*pairs, strict=True)]
    if not sides:
        return
    names = dict.fromkeys(name for side in sides for row in side for name in row)
    for score in names:
        first, second = ([row.get(score) for row in side] for side in sides)
        # Taken apart together, so that both sides have the same keys.
        for name, column in flattened(score, [*first, *second]):
            yield from _number_columns(name, column[: len(pairs)], column[len(pairs) :], pairs)


def _number_columns(
    name: str, before: Sequence[object], after: Sequence[object], pairs: Sequence[RowPair]
) -> Iterator[_Column]:
    numbers = [[number_of(value) for value in side] for side in (before, after)]
    if any(number is not None for side in numbers for number in side):
        found = _Column(name, numbers[0], numbers[1], pairs)
        found.values = list(zip(before, after, strict=True))
        yield found
    named = [
        [frozenset[str]() if number is not None else categories_of(value) for value, number in zip(*side, strict=True)]
        for side in ((before, numbers[0]), (after, numbers[1]))
    ]
    categories = dict.fromkeys(each for side in named for one in side for each in sorted(one))
    if not 0 < len(categories) <= MOST_CATEGORIES:
        return
    for category in categories:
        shares: list[list[float | None]] = [
            [None if value is None else float(category in one) for value, one in zip(values, side, strict=True)]
            for values, side in zip((before, after), named, strict=True)
        ]
        column = _Column(f"{name}/{category}", shares[0], shares[1], pairs)
        column.values = list(zip(before, after, strict=True))
        yield column


def _slices(pairs: Sequence[RowPair], columns: Sequence[_Column]) -> Iterator[MetricComparison]:
    by_tag: dict[str, dict[str, list[int]]] = {}
    for place, (first, second) in enumerate(pairs):
        tags: Mapping[str, str] = {**first.tags, **second.tags}
        for tag, value in tags.items():
            by_tag.setdefault(tag, {}).setdefault(str(value), []).append(place)
    for tag, values in sorted(by_tag.items()):
        if not 1 < len(values) <= MOST_SLICES:
            continue
        for value, places in sorted(values.items()):
            for column in columns:
                found = column.compared(places) if len(places) >= SMALLEST_SLICE else None
                if found is not None:
                    yield MetricComparison(column.name, found, None, 0, 0, tag, value)


def _frame(rows: Sequence[Mapping[str, Any]]) -> "DataFrame":
    from hansei.feedback.search.frame import data_frame

    return data_frame(rows, _COLUMNS)


_COLUMNS: Final = (
    "name", "tag", "tag_value", "pairs", "before", "after", "difference", "interval", "higher", "lower", "same",
    "test", "p_value", "adjusted_p", "effect", "effect_name", "cohens_dz", "only_before", "only_after", "verdict",
)  # fmt: skip
