"""Patterns in reviewers' work: figures that can be counted by hand, and signs that name them without blame."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from hansei.feedback.labeling.agreement import question_agreement
from hansei.feedback.labeling.answers import Answer
from hansei.feedback.labeling.model import DONE, LEASED, SKIPPED, Work
from hansei.feedback.labeling.patterns import (
    Question,
    ReviewerPatterns,
    Run,
    longest_run,
    patterns,
    run_probability,
)


def worked(reviewer: str, seconds: Sequence[float], *, state: str = DONE, first: int = 0, flag: str = "") -> list[Work]:
    """Items done one after another."""
    return [
        Work(f"item-{first + number}", reviewer, state, 0, 0, flag=flag, seconds=one, written=first + number + 1)
        for number, one in enumerate(seconds)
    ]


def said(reviewer: str, values: Sequence[Any]) -> list[Answer]:
    """Answers to the first items."""
    return [Answer(f"item-{number}", reviewer, value) for number, value in enumerate(values)]


def signs(found: ReviewerPatterns) -> list[str]:
    """The kinds of its signs."""
    return [sign.kind for sign in found.signs]


def test_figures() -> None:
    """Median, share under the floor, and counts are of what a reviewer has finished; a lease is not."""
    work = [
        *worked("ana", [1.0, 4.0, 10.0, 0.0]), *worked("ana", [3.0], state=SKIPPED, first=4, flag="unclear"),
        *worked("ana", [9.0], state=LEASED, first=5),
    ]  # fmt: skip
    (found,) = patterns(work, [Question("helpful", said("ana", [True, True, False, True]))])
    assert found == ReviewerPatterns(
        "ana", 4, 1, 1, 4.0, 1 / 3, (Run("helpful", True, 2, 4, found.runs[0].probability),)
    )
    assert (found.skipped_share, found.flagged_share) == (0.2, 0.2)


def test_nothing_counted() -> None:
    """Without times there is no median, and nobody without finished items is listed."""
    (found,) = patterns([*worked("ana", [0.0]), *worked("ben", [5.0], state=LEASED)], [])
    assert found == ReviewerPatterns("ana", 1, 0, 0, None, None)


def test_longest_run() -> None:
    """The longest row, the first of several, told by value and length."""
    found = longest_run("tone", ["a", "b", "b", "a", "a"])
    assert found is not None
    assert (found.value, found.length, found.answers) == ("b", 2, 5)
    assert longest_run("tone", []) is None


@pytest.mark.parametrize(("share", "length"), [(0.5, 8), (0.5, 12), (0.8, 20), (0.8, 30)])
def test_run_probability(share: float, length: int) -> None:
    """The probability of a row is near what 4000 reviewers by lot show."""
    lot, times, n = random.Random(3), 4000, 100
    seen = 0
    for _ in range(times):
        row = best = 0
        last = None
        for value in lot.choices((0, 1), (share, 1 - share), k=n):
            row = row + 1 if value == last else 1
            last, best = value, max(best, row)
        seen += best >= length
    assert run_probability([int(share * n), n - int(share * n)], length) == pytest.approx(seen / times, abs=0.04)


def test_long_run() -> None:
    """A row that chance does not explain is told; one that the mix of answers explains is not."""
    mixed, mostly = [True] * 20 + [False, True] * 10, [True] * 18 + [False] + [True] * 21
    work = [*worked("ana", [9.0] * 40), *worked("ben", [9.0] * 40)]
    questions = [Question("helpful", said("ana", mixed) + said("ben", mostly), labels={True: "Pass", False: "Fail"})]
    ana, ben = patterns(work, questions)
    # Thirty of forty: (3/4)^20 · (1 + 20/4) = 0.019 is no wonder.
    assert (signs(ana), signs(ben)) == ([], [])
    ana, _ = patterns(work, [Question("helpful", said("ana", [True] * 20 + [False] * 20))])
    assert signs(ana) == ["run"]
    assert ana.signs[0].text.startswith("helpful: 20 times in a row 'true'. By chance")


def test_one_answer() -> None:
    """Only one answer is told where the others' answers make it unlikely."""
    work = [*worked("ana", [9.0] * 12), *worked("ben", [9.0] * 12)]
    half = [True, False] * 6
    labels = {True: "Pass", False: "Fail"}
    ana, ben = patterns(work, [Question("helpful", said("ana", [True] * 12) + said("ben", half), labels=labels)])
    assert (signs(ana), signs(ben)) == (["one_answer"], [])
    assert "all 12 answers are 'Pass'; of the others' answers 50% are" in ana.signs[0].text
    rare = [True] * 11 + [False]
    ana, _ = patterns(work, [Question("helpful", said("ana", [True] * 12) + said("ben", rare), labels=labels)])
    assert signs(ana) == []


def test_pace() -> None:
    """Items under the floor, and a median of less than a third of the others', are told."""
    work = [*worked("ana", [1.0] * 5 + [9.0] * 5), *worked("ben", [12.0] * 10), *worked("cleo", [3.0] * 10)]
    ana, ben, cleo = patterns(work, [])
    assert (signs(ana), signs(ben), signs(cleo)) == (["speed"], [], [])
    assert ana.signs[0].text.startswith("5 of 10 items took less than 2 s each.")
    cleo = patterns([*worked("ben", [12.0] * 10), *worked("cleo", [3.0] * 10)], [])[1]
    assert cleo.signs[0].text.startswith("An item takes 3.0 s (median); the others take 12 s.")


def test_agreement() -> None:
    """Who agrees with the others clearly less than all do is told, and only they."""
    truth = ["a", "b", "c"] * 10
    answers = said("ana", truth) + said("ben", truth) + said("cleo", [*"bca" * 8, *truth[24:]])
    work = [one for who in ("ana", "ben", "cleo") for one in worked(who, [9.0] * 30)]
    question = Question("tone", answers, question_agreement(answers, "categorical"))
    assert [signs(one) for one in patterns(work, [question])] == [[], [], ["agreement"]]


def test_skipped_and_flagged() -> None:
    """Many skipped and many flagged items are told."""
    work = [*worked("ana", [9.0] * 6), *worked("ana", [0.0] * 4, state=SKIPPED, first=6, flag="not mine")]
    (found,) = patterns(work, [])
    assert signs(found) == ["skipped", "flagged"]


def test_no_blame() -> None:
    """No sign accuses: each leaves room for another explanation."""
    work = [*worked("ana", [1.0] * 20), *worked("ben", [9.0] * 20)]
    answers = said("ana", [True] * 20) + said("ben", [True, False] * 10)
    texts = [sign.text for one in patterns(work, [Question("helpful", answers)]) for sign in one.signs]
    assert len(texts) == 3
    assert all("may" in text for text in texts)
    assert not any(
        word in text for text in texts for word in ("careless", "cheat", "lazy", "bad", "wrong", "suspicious")
    )
