"""How each reviewer works, and what is worth a second look.

A sign is a reason to look at some items again or to ask; it proves nothing. Fast work can be good work, and a long run
of the same answer can be true. So each sign says what was seen, what would be usual, and what else could be behind it.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from statistics import median
from typing import Any, Final

from hansei.feedback.labeling.agreement import QuestionAgreement
from hansei.feedback.labeling.answers import Answer
from hansei.feedback.labeling.model import DONE, SKIPPED, Work

FLOOR_SECONDS: Final = 2.0
"""Less than one can read in."""
RARE: Final = 0.01
"""The probability under which chance is no longer an explanation."""
_FEWEST: Final = 10
"""Items or answers from which on a share means something."""
_FAST_SHARE: Final = 0.2
_FAST_TIMES: Final = 3
_SKIPPED_SHARE: Final = 0.3
_FLAGGED_SHARE: Final = 0.2


@dataclass(frozen=True, slots=True)
class Run:
    """The longest row of the same answer to a question, in the order in which a reviewer worked."""

    question: str
    value: Any
    length: int
    answers: int
    """All of the reviewer's answers to the question."""
    probability: float
    """That answers in the reviewer's own mix, in any order, have a row as long as this."""


@dataclass(frozen=True, slots=True)
class Sign:
    """Something worth a second look."""

    kind: str
    """``speed``, ``run``, ``one_answer``, ``agreement``, ``skipped`` or ``flagged``."""
    text: str


@dataclass(frozen=True, slots=True)
class ReviewerPatterns:
    """How a reviewer works."""

    reviewer: str
    done: int
    skipped: int
    flagged: int
    median_seconds: float | None
    """Of the items that are done; None where the page counted no time."""
    under_floor: float | None
    """The share of these that took less than two seconds."""
    runs: Sequence[Run] = ()
    """One a question."""
    signs: Sequence[Sign] = ()

    @property
    def skipped_share(self) -> float | None:
        """Of the items that the reviewer finished with."""
        ended = self.done + self.skipped
        return self.skipped / ended if ended else None

    @property
    def flagged_share(self) -> float | None:
        """Of the same."""
        ended = self.done + self.skipped
        return self.flagged / ended if ended else None


@dataclass(frozen=True, slots=True)
class Question:
    """A question, its answers, and how far reviewers agree in them."""

    name: str
    answers: Sequence[Answer]
    agreement: QuestionAgreement | None = None
    labels: Mapping[bool, str] = field(default_factory=dict)
    """What true and false are called."""


def patterns(work: Iterable[Work], questions: Sequence[Question]) -> list[ReviewerPatterns]:
    """The patterns of everyone who has finished with an item, by name."""
    by_reviewer: dict[str, list[Work]] = {}
    for one in sorted(work, key=lambda one: one.written):
        if one.state in (DONE, SKIPPED):
            by_reviewer.setdefault(one.reviewer, []).append(one)
    paces = {reviewer: _seconds(ended) for reviewer, ended in by_reviewer.items()}
    return [_of_reviewer(reviewer, by_reviewer[reviewer], paces, questions) for reviewer in sorted(by_reviewer)]


def run_probability(counts: Iterable[int], length: int) -> float:
    """About how likely it is that answers with these counts, one drawn after another, have ``length`` of the same in a
    row: the number of such rows is nearly Poisson (Feller, *An Introduction to Probability Theory*, XIII.7)."""
    counted = list(counts)
    n = sum(counted)
    if length > n:
        return 0.0
    expected = sum((c / n) ** length * (1 + (n - length) * (1 - c / n)) for c in counted)
    return 1 - math.exp(-expected) if len(counted) > 1 else 1.0


def _of_reviewer(
    reviewer: str, ended: Sequence[Work], paces: Mapping[str, list[float]], questions: Sequence[Question]
) -> ReviewerPatterns:
    done = [one.item_id for one in ended if one.state == DONE]
    seconds = paces[reviewer]
    found = ReviewerPatterns(
        reviewer=reviewer,
        done=len(done),
        skipped=len(ended) - len(done),
        flagged=sum(bool(one.flag) for one in ended),
        median_seconds=median(seconds) if seconds else None,
        under_floor=sum(one < FLOOR_SECONDS for one in seconds) / len(seconds) if seconds else None,
    )
    runs, signs = [], [*_of_pace(found, seconds, paces)]
    for question in questions:
        said = {answer.item: answer.value for answer in question.answers if answer.reviewer == reviewer}
        run = longest_run(question.name, [said[item] for item in done if item in said])
        if run is None:
            continue
        runs.append(run)
        signs += _of_run(run, question, reviewer)
        signs += _of_agreement(question, reviewer)
    signs += _of_shares(found)
    return replace(found, runs=tuple(runs), signs=tuple(signs))


def longest_run(question: str, values: Sequence[Any]) -> Run | None:
    """The longest row of the same value; the first of several; None where there are no values."""
    texts = [json.dumps(value, sort_keys=True) for value in values]
    if not texts:
        return None
    rows = [(text, len(list(same))) for text, same in groupby(texts)]
    text, length = max(rows, key=lambda row: row[1])
    probability = run_probability(Counter(texts).values(), length)
    return Run(question, json.loads(text), length, len(texts), probability)


def _of_pace(found: ReviewerPatterns, seconds: list[float], paces: Mapping[str, list[float]]) -> Iterable[Sign]:
    fast = sum(one < FLOOR_SECONDS for one in seconds)
    if len(seconds) >= _FEWEST and fast / len(seconds) >= _FAST_SHARE:
        yield Sign(
            "speed",
            f"{fast} of {len(seconds)} items took less than {FLOOR_SECONDS:.0f} s each. They may be short, or were "
            "decided at a glance; look at a few of them again.",
        )
    others = [median(pace) for who, pace in paces.items() if who != found.reviewer and len(pace) >= _FEWEST]
    if len(seconds) >= _FEWEST and others and median(seconds) * _FAST_TIMES < median(others):
        yield Sign(
            "speed",
            f"An item takes {_shown(median(seconds))} s (median); the others take {_shown(median(others))} s. It may "
            "be practice, or easier items.",
        )


def _of_run(run: Run, question: Question, reviewer: str) -> Iterable[Sign]:
    label = question.labels.get(run.value) if isinstance(run.value, bool) else None
    value = label or (run.value if isinstance(run.value, str) else json.dumps(run.value, ensure_ascii=False))
    if run.length < run.answers:
        if run.answers >= _FEWEST and run.probability < RARE:
            yield Sign(
                "run",
                f"{question.name}: {run.length} times in a row {value!r}. By chance, with the same mix of answers, "
                f"fewer than 1 in {_one_in(run.probability)} reviewers would have so many. Items that follow each "
                "other may be alike.",
            )
    elif run.answers >= _FEWEST:
        others = [answer.value for answer in question.answers if answer.reviewer != reviewer]
        alike = sum(json.dumps(other, sort_keys=True) == json.dumps(run.value, sort_keys=True) for other in others)
        if len(others) >= _FEWEST and (alike / len(others)) ** run.answers < RARE:
            yield Sign(
                "one_answer",
                f"{question.name}: all {run.answers} answers are {value!r}; of the others' answers "
                f"{alike / len(others):.0%} are. The items may differ, or the question is read in another way.",
            )


def _of_agreement(question: Question, reviewer: str) -> Iterable[Sign]:
    agreement = question.agreement
    if agreement is None or agreement.same.value is None or agreement.reviewers < 3:
        return
    for one in agreement.by_reviewer:
        high = one.same.high
        if one.reviewer == reviewer and one.items >= _FEWEST and high is not None and high < agreement.same.value:
            yield Sign(
                "agreement",
                f"{question.name}: agrees with {one.same.value:.0%} of the others' answers to the same items; all "
                f"together agree in {agreement.same.value:.0%}. The question may be read in another way: talk it over.",
            )


def _of_shares(found: ReviewerPatterns) -> Iterable[Sign]:
    ended = found.done + found.skipped
    if ended < _FEWEST:
        return
    if found.skipped / ended >= _SKIPPED_SHARE:
        yield Sign(
            "skipped",
            f"{found.skipped} of {ended} items were skipped. The questions may not fit these items, or this reviewer.",
        )
    if found.flagged / ended >= _FLAGGED_SHARE:
        yield Sign("flagged", f"{found.flagged} of {ended} items are flagged. Read what the flags say.")


def _seconds(ended: Iterable[Work]) -> list[float]:
    # What no page counted, such as answers by the API, has no time.
    return [one.seconds for one in ended if one.state == DONE and one.seconds > 0]


def _shown(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds < 10 else f"{seconds:.0f}"


def _one_in(probability: float) -> str:
    for power in (6, 5, 4, 3):
        if probability < 10**-power:
            return f"{10**power:,}"
    return "100"
