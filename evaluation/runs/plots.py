"""Figures of evaluations, drawn by matplotlib."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from hansei.evaluation.errors import EvaluationError, InvalidEvaluation
from hansei.evaluation.runs.bootstrap import MEAN, Sample, bootstrap_intervals
from hansei.evaluation.runs.numbers import categories_of, number_of
from hansei.evaluation.runs.wilson import wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hansei.evaluation.agreement.judge_agreement import JudgeAgreement
    from hansei.evaluation.runs.comparison import Comparison
    from hansei.evaluation.runs.record import RunRow
    from hansei.evaluation.runs.result import EvaluationResult

INK: Final = "#1f2933"
QUIET: Final = "#7b8794"
GRID: Final = "#e4e7eb"
BLUE: Final = "#2f6fb3"
PALE: Final = "#c9dcf0"
ORANGE: Final = "#c65d21"
_STYLE: Final[dict[str, Any]] = {
    "font.size": 9, "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.edgecolor": QUIET, "axes.labelcolor": INK, "axes.spines.top": False, "axes.spines.right": False,
    "text.color": INK, "xtick.color": INK, "ytick.color": INK, "figure.facecolor": "white", "axes.facecolor": "white",
    "axes.grid": True, "grid.color": GRID, "axes.axisbelow": True, "figure.constrained_layout.use": True,
    "text.parse_math": False,
}  # fmt: skip
_COLUMNS: Final = 3
_BARS: Final = 12
"""Values that are bars of their own; with more of them numbers are binned."""
_LONGEST: Final = 60


def plot_scores(result: "EvaluationResult", name: str | None = None) -> "Figure":
    """How the scores of each scorer, or of one, are distributed over the rows. Raises ``InvalidEvaluation`` for a name
    that has none, and ``EvaluationError`` where matplotlib is missing."""
    values = _values(result.rows, name)
    rows = -(-len(values) // _COLUMNS)
    columns = min(_COLUMNS, len(values))
    with _style():
        figure = _figure((3.6 * columns, 2.7 * rows))
        places = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, (scorer, found) in zip(places, values.items(), strict=False):
            _draw_distribution(axes, scorer, found)
        for axes in places[len(values) :]:
            axes.set_visible(False)
    return figure


def plot_slices(result: "EvaluationResult", name: str, tag: str) -> "Figure":
    """The mean of a score for each value of a tag, with its 95 % interval and how many rows there are.

    Raises ``InvalidEvaluation`` where there is no such score or tag, and ``EvaluationError`` without matplotlib.
    """
    _values(result.rows, name)
    of_value: dict[str, list[float]] = {}
    for row in result.rows:
        for score in row.scores:
            number = number_of(score.value) if score.name == name else None
            if number is not None and tag in row.tags:
                of_value.setdefault(str(row.tags[tag]), []).append(number)
    if not of_value:
        known = ", ".join(sorted({each for row in result.rows for each in row.tags})) or "none"
        raise InvalidEvaluation(
            f"tag: no row with the tag {tag!r} has a number of {name!r}; there are the tags {known}"
        )
    samples = {value: Sample.of(numbers) for value, numbers in sorted(of_value.items(), reverse=True)}
    means = [sample.figure(MEAN) for sample in samples.values()]
    labels = [f"{_short(value, 24)}  (n = {len(sample.values)})" for value, sample in samples.items()]
    with _style():
        figure = _figure((6.4, 1.2 + 0.32 * len(samples)))
        axes = figure.subplots()
        _draw_intervals(axes, means, [_mean_interval(each) for each in samples.values()], [BLUE] * len(means))
        axes.set_ylim(-0.6, len(labels) - 0.4)
        axes.set_yticks(range(len(labels)), labels)
        axes.set_xlabel(f"mean of {name}, 95 % interval")
        axes.set_ylabel(tag)
        axes.set_title(f"{name} by {tag}")
    return figure


def plot_worst(result: "EvaluationResult", name: str, count: int = 10) -> "Figure":
    """The rows with the lowest scores, by what was asked. Raises ``InvalidEvaluation``, ``EvaluationError``."""
    _values(result.rows, name)
    found = [
        (number, row)
        for row in result.rows
        for score in row.scores
        if score.name == name and (number := number_of(score.value)) is not None
    ]
    if not found:
        raise InvalidEvaluation(f"name: the scores of {name!r} are no numbers, so none of them is the lowest")
    lowest = sorted(found, key=lambda each: (each[0], each[1].position))[:count][::-1]
    with _style():
        figure = _figure((7.2, 1.2 + 0.3 * len(lowest)))
        axes = figure.subplots()
        axes.scatter([number for number, _ in lowest], range(len(lowest)), color=ORANGE, zorder=3)
        axes.set_yticks(range(len(lowest)), [f"{row.position}: {_short(row.inputs)}" for _, row in lowest])
        axes.set_xlabel(name)
        axes.set_ylabel("row: what was asked")
        numbers = [number for number, _ in found]
        edge = 0.05 * (max(numbers) - min(numbers) or 1.0)
        axes.set_xlim(min(numbers) - edge, max(numbers) + edge)
        axes.set_title(f"The {len(lowest)} lowest of {len(found)}")
    return figure


def plot_comparison(comparison: "Comparison") -> "Figure":
    """The difference of each score with its 95 % interval; where there is no evidence of one it is pale.

    A score's numbers are as far apart as its own: each has an axis. Raises ``InvalidEvaluation`` where no score is in
    both runs, and ``EvaluationError`` where matplotlib is missing.
    """
    if not comparison.metrics:
        raise InvalidEvaluation("there is no score in both runs to draw")
    number = len(comparison.metrics)
    with _style():
        figure = _figure((7.2, 0.5 + 0.85 * number))
        for axes, each in zip(figure.subplots(number, 1, squeeze=False).ravel(), comparison.metrics, strict=True):
            found = each.found
            colour = QUIET if not each.is_different else BLUE if found.difference > 0 else ORANGE
            _draw_intervals(axes, [found.difference], [found.interval], [colour])
            axes.axvline(0, color=INK, linewidth=0.8)
            ends = found.interval or (found.difference, found.difference)
            reach = 1.15 * max(abs(ends[0]), abs(ends[1]), abs(found.difference)) or 1.0
            axes.set_xlim(-reach, reach)
            axes.set_ylim(-0.6, 0.6)
            axes.set_yticks([0], [_short(each.name, 28)])
            told = f"{found.before:.3g} → {found.after:.3g}, {found.pairs} rows: {each.verdict}"
            axes.set_title(told, fontsize=8, fontweight="normal", color=QUIET)
        figure.supxlabel(
            f"difference, 95 % interval: {_short(comparison.after, 30)} less {_short(comparison.before, 30)}",
            fontsize=9,
        )
    return figure


def plot_agreement(agreement: "JudgeAgreement") -> "Figure":
    """The confusion matrix of a judge against people, and their agreement over time. Raises ``InvalidEvaluation`` where
    there is nothing to draw, and ``EvaluationError`` where matplotlib is missing."""
    if not agreement.classes and not agreement.periods:
        raise InvalidEvaluation(f"there is nothing to draw: {agreement.reason or 'no target was judged by both'}")
    with _style():
        figure = _figure((9.2, 3.6))
        left, right = figure.subplots(1, 2)
        _draw_confusion(left, agreement)
        _draw_drift(right, agreement)
    return figure


def _draw_confusion(axes: "Axes", agreement: "JudgeAgreement") -> None:
    axes.set_title(f"{agreement.judge_name} against people")
    if not agreement.classes:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no classes: values are not counted by kind", ha="center", color=QUIET)
        return
    counts = agreement.confusion
    largest = max(max(row) for row in counts) or 1
    axes.imshow(counts, cmap="Blues", vmin=0, vmax=1.6 * largest)
    for row, line in enumerate(counts):
        for column, count in enumerate(line):
            axes.text(column, row, f"{count:,}", ha="center", va="center")
    labels = [_short(each, 16) for each in agreement.classes]
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("people")
    axes.set_ylabel("judge")
    axes.grid(visible=False)


def _draw_drift(axes: "Axes", agreement: "JudgeAgreement") -> None:
    axes.set_title("Agreement over time")
    places = range(len(agreement.periods))
    for name, colour, shift in (("agreement", BLUE, -0.06), ("kappa", ORANGE, 0.06)):
        drawn = [(place, getattr(each, name)) for place, each in zip(places, agreement.periods, strict=True)]
        known = [(place + shift, each) for place, each in drawn if each.value is not None]
        axes.plot([place for place, _ in known], [each.value for _, each in known], "o-", color=colour, label=name)
        for place, each in known:
            if each.low is not None and each.high is not None:
                axes.plot([place, place], [each.low, each.high], color=colour, alpha=0.45, linewidth=2)
    labels = [f"{each.label}\nn = {each.pairs}" for each in agreement.periods]
    step = max(1, -(-len(labels) // 6))
    axes.set_xticks(list(places)[::step], labels[::step], fontsize=8)
    axes.set_xlabel(f"{agreement.period} from")
    axes.set_ylabel("agreement, 95 % interval")
    axes.set_ylim(top=1.05)
    axes.legend(frameon=False, loc="lower left")


def _draw_distribution(axes: "Axes", name: str, values: Sequence[object]) -> None:
    numbers = [number for value in values if (number := number_of(value)) is not None]
    axes.set_title(_short(name, 40))
    axes.set_ylabel("rows")
    if not numbers:
        counted = Counter(each for value in values for each in sorted(categories_of(value)) or [_short(value, 24)])
        shown = counted.most_common(_BARS)[::-1]
        axes.barh([_short(each, 24) for each, _ in shown], [count for _, count in shown], color=BLUE)
        axes.set_xlabel("rows")
        axes.set_ylabel("category")
        return
    axes.set_xlabel("score")
    if set(numbers) <= {0.0, 1.0}:
        counts = [numbers.count(0.0), numbers.count(1.0)]
        axes.bar(["no", "yes"], counts, color=[PALE, BLUE], width=0.6)
    elif len(set(numbers)) <= _BARS and all(each.is_integer() for each in numbers):
        found = Counter(numbers)
        axes.bar([str(int(each)) for each in sorted(found)], [found[each] for each in sorted(found)], color=BLUE)
    else:
        axes.hist(numbers, bins="auto", color=BLUE, edgecolor="white")
        mean = sum(numbers) / len(numbers)
        axes.axvline(mean, color=ORANGE, linewidth=1.4, label=f"mean {mean:.3g}")
        axes.legend(frameon=False)
    axes.locator_params(axis="y", integer=True)


def _draw_intervals(
    axes: "Axes", values: Sequence[float], intervals: Sequence[tuple[float, float] | None], colours: Sequence[str]
) -> None:
    for place, (value, ends, colour) in enumerate(zip(values, intervals, colours, strict=True)):
        if ends is not None:
            axes.plot(ends, [place, place], color=colour, linewidth=2.2, solid_capstyle="butt")
        axes.plot([value], [place], "o", color=colour)


def _mean_interval(sample: Sample) -> tuple[float, float] | None:
    if sample.is_binary:
        return wilson(sample.figure(MEAN), len(sample.values))
    return bootstrap_intervals(sample, (MEAN,)).get(MEAN)


def _values(rows: Sequence["RunRow"], name: str | None) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {}
    for row in rows:
        for score in row.scores:
            if score.value is not None and name in (None, score.name):
                found.setdefault(score.name, []).append(score.value)
    if not found and name is not None:
        known = ", ".join(sorted({score.name for row in rows for score in row.scores})) or "none"
        raise InvalidEvaluation(f"name: there is no score {name!r}; there are {known}")
    if not found:
        raise InvalidEvaluation("there is no score to draw")
    return found


def _short(value: object, longest: int = _LONGEST) -> str:
    text = " ".join(str(next(iter(value.values())) if isinstance(value, dict) and len(value) == 1 else value).split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _figure(size: tuple[float, float]) -> "Figure":
    # Without pyplot: no window is opened, and nothing of a notebook's own figures is touched.
    from matplotlib.figure import Figure

    return Figure(figsize=size, dpi=110)


def _style() -> Any:
    try:
        import matplotlib
    except ImportError as error:
        raise EvaluationError("plots need matplotlib: pip install 'hansei[plots]'") from error
    return matplotlib.rc_context(cast(Any, _STYLE))
