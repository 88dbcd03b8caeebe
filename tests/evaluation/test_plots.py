"""Figures: what is drawn is what was found."""

from types import SimpleNamespace
from typing import Any

import pytest

from hansei.evaluation.agreement.drift import PeriodAgreement
from hansei.evaluation.agreement.judge_agreement import JudgeAgreement
from hansei.evaluation.agreement.measures import Measures
from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.runs.comparison import Comparison, compare_rows
from hansei.evaluation.runs.plots import (
    BLUE,
    QUIET,
    plot_agreement,
    plot_comparison,
    plot_scores,
    plot_slices,
    plot_worst,
)
from hansei.evaluation.runs.record import RowScore, RunRow
from hansei.feedback.labeling.resampling import Coefficient


def result(number: int = 12) -> Any:
    """Rows that are right in English, of a length, and of a tone."""
    rows = []
    for place in range(number):
        english = place % 3 > 0
        values = {
            "correct": "yes" if english else "no",
            "length": place * 1.5,
            "tone": "warm" if place < 3 else "plain",
        }
        scores = [RowScore(name, name, "v1", value) for name, value in values.items()]
        tags = {"language": "en" if english else "ja"}
        rows.append(
            RunRow(place, record_id=f"r{place}", inputs={"q": f"costs $5 and $6? {place}"}, tags=tags, scores=scores)
        )
    return SimpleNamespace(rows=rows)


def test_scores() -> None:
    """A figure a scorer: bars for yes and no, a histogram of numbers with its mean, bars of categories."""
    figure = plot_scores(result())
    correct, length, tone = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["correct", "length", "tone"]
    assert [bar.get_height() for bar in correct.patches] == [4, 8]
    assert sum(bar.get_height() for bar in length.patches) == 12
    assert length.get_legend().get_texts()[0].get_text() == "mean 8.25"
    assert [bar.get_width() for bar in tone.patches] == [3, 9]
    assert [axes.get_xlabel() for axes in figure.axes] == ["score", "score", "rows"]
    assert len(plot_scores(result(), "tone").axes) == 1


def test_slices() -> None:
    """A mean with its interval for each value of a tag, and how many rows it is of."""
    (axes,) = plot_slices(result(), "correct", "language").axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["ja  (n = 4)", "en  (n = 8)"]
    points = [line for line in axes.lines if line.get_marker() == "o"]
    assert [float(line.get_xdata()[0]) for line in points] == [0.0, 1.0]
    assert axes.get_xlabel() == "mean of correct, 95 % interval"


def test_worst() -> None:
    """The lowest rows from the top, by what was asked; a dollar sign is no formula."""
    figure = plot_worst(result(), "length", 3)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        f"{place}: costs $5 and $6? {place}" for place in (2, 1, 0)
    ]
    assert axes.collections[0].get_offsets()[:, 0].tolist() == [3.0, 1.5, 0.0]
    figure.draw_without_rendering()


def test_comparison() -> None:
    """A difference with its interval for each score: blue where it is one, grey where there is no evidence."""
    before = [
        RunRow(n, record_id=str(n), scores=[RowScore("a", "a", "", n < 5), RowScore("b", "b", "", n)])
        for n in range(40)
    ]
    after = [
        RunRow(n, record_id=str(n), scores=[RowScore("a", "a", "", 1), RowScore("b", "b", "", n)]) for n in range(40)
    ]
    figure = plot_comparison(compare_rows(before, after))
    colours = [axes.lines[-2].get_color() for axes in figure.axes]
    assert colours == [BLUE, QUIET]
    assert [label.get_text() for axes in figure.axes for label in axes.get_yticklabels()] == ["a", "b"]
    assert figure.axes[0].get_title(loc="left") == "0.125 → 1, 40 rows: higher"


def test_agreement() -> None:
    """The confusion matrix as it was counted, and agreement by period."""
    share = Coefficient(0.7, 0.56, 0.81)
    periods = [PeriodAgreement(0, f"2026-11-{day}", 25, share, Coefficient(0.4)) for day in (16, 23)]
    found = JudgeAgreement(
        "polite", "polite", "yes or no", "", Measures(50, share, share, share), 0, 0, ("yes", "no"),
        [[20, 5], [10, 15]], period="week", periods=periods,
    )  # fmt: skip
    left, right = plot_agreement(found).axes
    assert [text.get_text() for text in left.texts] == ["20", "5", "10", "15"]
    assert (left.get_xlabel(), left.get_ylabel()) == ("people", "judge")
    assert [label.get_text() for label in right.get_xticklabels()] == ["2026-11-16\nn = 25", "2026-11-23\nn = 25"]
    assert right.lines[0].get_ydata().tolist() == [0.7, 0.7]


def test_nothing_to_draw() -> None:
    """What cannot be drawn is told, with what there is."""
    with pytest.raises(InvalidEvaluation, match="there is no score 'x'; there are correct, length, tone"):
        plot_scores(result(), "x")
    with pytest.raises(
        InvalidEvaluation, match="no row with the tag 'x' has a number of 'correct'; there are the tags lang"
    ):
        plot_slices(result(), "correct", "x")
    with pytest.raises(InvalidEvaluation, match="the scores of 'tone' are no numbers"):
        plot_worst(result(), "tone")
    with pytest.raises(InvalidEvaluation, match="there is no score in both runs to draw"):
        plot_comparison(Comparison("a", "b", 0, 0, 0, []))
