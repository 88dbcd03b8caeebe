"""Comparing runs: the tests behind it against published answers, and which rows are compared."""

import inspect
import re
import uuid
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas
import pytest

import hansei
from hansei import compare, judge_agreement
from hansei.evaluation.errors import EvaluationError, InvalidEvaluation, UnknownEvaluation
from hansei.evaluation.ledger_writer import LedgerWriter
from hansei.evaluation.runs import compared
from hansei.evaluation.runs.comparison import NO_EVIDENCE, ChangedRow, compare_rows
from hansei.evaluation.runs.paired import (
    BY_CONVERSATION,
    MCNEMAR,
    WILCOXON,
    cohens_g,
    holm,
    mcnemar,
    paired_difference,
    paired_share_interval,
    rank_biserial,
    wilcoxon,
)
from hansei.evaluation.runs.record import RowScore, RunRow
from hansei.evaluation.runs.row_pairs import paired_rows
from hansei.evaluation.runs.run import Run
from hansei.evaluation.scorer import scorer
from hansei.evaluation.scoring import Scored, score_by_code
from hansei.evaluation.subject import Subject
from hansei.feedback.assessment import Feedback
from hansei.feedback.search.connection import connections

# The tests are no package whose name could be written out.
from ..collector.processes import Serving  # noqa: TID252


def row(position: int, *, tags: dict[str, str] | None = None, **scores: Any) -> RunRow:
    """A row of a record, with scores; ``inputs``, ``trace_id``, ``session_id``, ``record_id`` are the row's."""
    own = {name: scores.pop(name) for name in ("inputs", "trace_id", "session_id", "record_id") if name in scores}
    given = [RowScore(name, name, "v1", value) for name, value in scores.items()]
    return RunRow(position, tags=tags or {}, scores=given, **{"record_id": "" if own else f"r{position}", **own})


def test_mcnemar_of_agresti() -> None:
    """The p-value of 150 changes one way and 86 the other is that of Agresti's table of approval (10.1): below 0.001;
    and of 1 and 6 it is, worked by hand, 2 (1 + 7) / 2^7 = 0.125."""
    assert mcnemar(150, 86) == pytest.approx(3.7e-5, abs=2e-6)
    assert mcnemar(1, 6) == pytest.approx(0.125)
    assert mcnemar(0, 0) == 1.0


def test_cohens_g() -> None:
    """Six of eight changes up are a quarter more than half; without a change there is no effect."""
    assert (cohens_g(6, 2), cohens_g(0, 0)) == (0.25, None)


def test_paired_share_interval_by_hand() -> None:
    """8 up and 2 down of 48: (9 - 3) / 50 more or less 1.96 sqrt((0.24 - 0.0144) / 50)."""
    assert paired_share_interval(8, 2, 48) == pytest.approx((0.12 - 0.13165, 0.12 + 0.13165), abs=1e-4)


PLANTS = np.array([6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75], dtype=float)
"""Darwin's maize: the differences in height between cross- and self-fertilised plants, in eighths of an inch."""


def test_wilcoxon_of_darwins_maize() -> None:
    """The exact p-value of Darwin's fifteen differences is the published 0.0413; the ranks' sums are 96 and 24."""
    assert wilcoxon(PLANTS) == pytest.approx(0.04126, abs=1e-5)
    assert rank_biserial(PLANTS) == pytest.approx((96 - 24) / 120)


def test_wilcoxon_by_hand() -> None:
    """Four differences up are two of the sixteen assignments of signs; ties and zeros do not matter: 0.125."""
    assert wilcoxon(np.array([0.5, 0.5, 1.0, 2.0, 0.0])) == pytest.approx(0.125)
    assert wilcoxon(np.zeros(4)) == 1.0


def test_holm_by_hand() -> None:
    """0.01, 0.04, 0.03 become 0.03, 0.06, 0.06: the smallest times three, the next times two, then no less."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_conversations_change_together() -> None:
    """Rows of one conversation are not independent: twelve that rose in three conversations are no evidence."""
    before, after = [0.0] * 12, [1.0] * 12
    alone = paired_difference(before, after)
    together = paired_difference(before, after, [f"c{number // 4}" for number in range(12)])
    assert alone is not None
    assert together is not None
    assert (alone.test, together.test) == (MCNEMAR, BY_CONVERSATION)
    assert alone.p_value < 0.001
    assert together.p_value == pytest.approx(0.25)


def test_rows_are_paired() -> None:
    """By record, else by trace, else by inputs; the second of the same with the second; others are counted."""
    before = [
        row(0, record_id="a"), row(1, trace_id="t"), row(2, inputs={"q": 1, "p": 2}), row(3, inputs={"q": 1, "p": 2}),
        row(4, record_id="gone"),
    ]  # fmt: skip
    after = [
        row(0, inputs={"p": 2, "q": 1}), row(1, inputs={"p": 2, "q": 1}), row(2, trace_id="t"), row(3, record_id="a"),
        row(4, inputs="new"), row(5, inputs="newer"),
    ]  # fmt: skip
    pairs, only_before, only_after = paired_rows(before, after)
    assert [(one.position, other.position) for one, other in pairs] == [(0, 3), (1, 2), (2, 0), (3, 1)]
    assert (only_before, only_after) == (1, 2)


def runs() -> tuple[list[RunRow], list[RunRow]]:
    """Forty questions: an answer became right in twelve, wrong in one; its length and tone did not change much."""
    draw = np.random.default_rng(2)
    before, after = [], []
    for number in range(40):
        right = number < 20
        became = number < 32 and number != 3
        length = float(draw.normal(100, 10))
        tags = {"language": "en" if number % 2 else "ja"}
        before.append(row(number, correct=right, length=length, tone="plain" if number % 5 else "warm", tags=tags))
        after.append(row(number, correct="yes" if became else "no", length=length + float(draw.normal(0, 5)),
                         tone="plain" if number % 4 else "warm", only_new=1, tags=tags))  # fmt: skip
    return before, after


def test_comparison() -> None:
    """What rose is told with its test, effect and interval, and what did not is told as no evidence."""
    found = compare_rows(*runs())
    by_name = {each.name: each for each in found.metrics}
    assert list(by_name) == ["correct", "length", "tone/warm", "tone/plain"]
    correct = by_name["correct"]
    assert (correct.verdict, correct.found.test, correct.found.higher, correct.found.lower, correct.found.same) == (
        "higher", MCNEMAR, 12, 1, 27,
    )  # fmt: skip
    assert (correct.found.before, correct.found.after, correct.found.difference) == pytest.approx((0.5, 0.775, 0.275))
    assert correct.found.p_value == pytest.approx(2 * 14 / 2**13)
    assert correct.adjusted_p == pytest.approx(4 * 2 * 14 / 2**13)
    assert correct.found.effect == pytest.approx(12 / 13 - 0.5)
    assert by_name["length"].found.test == WILCOXON
    assert {by_name[name].verdict for name in ("length", "tone/warm", "tone/plain")} == {NO_EVIDENCE}
    interval = by_name["length"].found.interval
    assert interval is not None
    assert interval[0] < 0 < interval[1]


def test_changed_rows() -> None:
    """Rows that fell and rows that rose are there with both values as they were said."""
    found = compare_rows(*runs())
    assert [(each.before.position, each.before_value, each.after_value) for each in found.lost("correct")] == [
        (3, True, "no")
    ]
    assert len(found.won("correct")) == 12
    assert all(isinstance(each, ChangedRow) and each.is_higher for each in found.won("correct"))


def test_slices() -> None:
    """Each value of a tag is a slice, with interval and without a test of its own."""
    found = compare_rows(*runs())
    english = next(each for each in found.slices if each.name == "correct" and each.tag_value == "en")
    assert (english.tag, english.found.pairs, english.adjusted_p, english.verdict) == ("language", 20, None, "")
    assert {each.tag_value for each in found.slices} == {"en", "ja"}


def test_texts() -> None:
    """A terminal and a notebook are told the same; what a run is called is escaped; a frame has a row a score."""
    found = compare_rows(*runs(), names=("<b>first</b>", "second"))
    text, html = str(found), found._repr_html_()
    assert "correct     40     0.5     0.775  +0.275      +0.0994 to +0.424  12/1     0.014     higher" in text
    assert NO_EVIDENCE in text
    assert "McNemar's exact test, Cohen's g +0.42" in text
    assert "&lt;b&gt;first&lt;/b&gt; → second: 40 rows in both" in html
    assert "<b>" not in html
    frame = found.to_df()
    assert list(frame["name"]) == ["correct", "length", "tone/warm", "tone/plain"]
    assert list(found.slices_df()["tag"].unique()) == ["language"]


def test_nothing_to_compare() -> None:
    """Runs without a common score say so, and have no number."""
    found = compare_rows([row(0, first=1)], [row(0, second=1)])
    assert (found.pairs, found.metrics) == (1, [])
    assert "no score is in both runs" in str(found)
    assert compare_rows([], []).metrics == []


def test_what_can_be_compared() -> None:
    """Results, frames of results, and nothing else; what is wrong is named."""
    before, after = runs()
    result = SimpleNamespace(name="first", rows=before)
    frame = pandas.DataFrame([{"record_id": each.record_id, "correct/value": each.scores[0].value} for each in after])
    found = compare(result, frame)
    assert (found.before, found.after, [each.name for each in found.metrics]) == ("first", "run_b", ["correct"])
    with pytest.raises(InvalidEvaluation, match="run_a: 7 is no run; give what evaluate"):
        compare(7, frame)
    with pytest.raises(InvalidEvaluation, match="run_b: the DataFrame has no column NAME/value"):
        compare(result, pandas.DataFrame([{"a": 1}]))


def test_stored_runs(here: Serving) -> None:
    """Runs are compared by their ids, as they are stored; one that there is not is named."""
    before, after = runs()
    ids = []
    for name, rows in (("first", before), ("second", after)):
        run = Run.start(name)
        run.add_rows(rows)
        run.finish()
        ids.append(run.run_id)
    found = compare(*ids)
    assert (found.before, found.after, found.pairs) == ("first", "second", 40)
    assert [each.to_json() for each in found.metrics] == [
        each.to_json() for each in compare_rows(before, after).metrics
    ]
    with pytest.raises(UnknownEvaluation, match="there is no run 'nowhere'"):
        compare("nowhere", ids[0])


@scorer
def first_letter(outputs: Any) -> list[Feedback]:
    return [Feedback("is_a", outputs[:1] == "a"), Feedback("is_b", outputs[:1] == "b")]


def test_too_many_scores(here: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch with more scores than can be compared is refused, and not compared by some of them."""
    run = Run.start("letters", "batch")
    writer = LedgerWriter(run.run_id)
    for outputs in ("a", "b", "c"):
        about = Subject("trace", uuid.uuid4().hex, outputs=outputs)
        writer.add(Scored(about, [score_by_code(first_letter, about)]))
    writer.close()
    here.wait_stored()
    monkeypatch.setattr(compared, "_MOST", 5)
    with pytest.raises(EvaluationError, match="has 5 rows or scores, or more; too many to be compared here"):
        compared.read_compared(connections.query, run.run_id)
    monkeypatch.setattr(compared, "_MOST", 100)
    assert len(compared.read_compared(connections.query, run.run_id).rows) == 3


GUIDE = (Path(__file__).parents[2] / "docs" / "comparing.md").read_text()


def test_guide() -> None:
    """The code of docs/comparing.md for runs works, and its table has every parameter of judge_agreement."""

    def only(each: RunRow) -> RunRow:
        return replace(each, scores=[replace(each.scores[0], name="correctness")])

    before, after = ([only(each) for each in rows] for rows in runs())
    (code,) = re.findall(r"(?ms)^```python\n(comparison = .*?)^```", GUIDE)
    named = {"before": SimpleNamespace(name="a", rows=before), "after": SimpleNamespace(name="b", rows=after)}
    exec(code, {"hansei": hansei, **named})
    (table,) = re.findall(r"(?ms)^\| parameter \|.*?\n\n", GUIDE)
    assert re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in table.splitlines() if row)) == [
        name for name in inspect.signature(judge_agreement).parameters if name != "judge_name"
    ]
