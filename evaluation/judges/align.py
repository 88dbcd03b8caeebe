"""Aligning a judge with people: it learns from labelled examples, and is only changed where that surely helps."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from hansei.evaluation.agreement.measures import measures_of
from hansei.evaluation.agreement.pairs import Judgement, Pair
from hansei.evaluation.agreement.scale import Scale, scale_of
from hansei.evaluation.errors import InvalidEvaluation, JudgeError, NotApplicable
from hansei.evaluation.judges.align_candidates import Judged, Tried, candidates_of
from hansei.evaluation.judges.align_examples import Example, Shares, examples_of, shared_out
from hansei.evaluation.judges.alignment import Alignment, Candidate
from hansei.evaluation.judges.alone import run_blocking
from hansei.evaluation.judges.asking import ModelAsker
from hansei.evaluation.judges.judge import Judge
from hansei.evaluation.judges.model import model_of
from hansei.evaluation.judges.question import Asker, JudgeModel
from hansei.evaluation.judges.settings import JudgeSettings
from hansei.evaluation.runs.paired import paired_difference
from hansei.evaluation.scorer import feedbacks_of
from hansei.feedback.search.trace import Trace

__all__ = ["Alignment", "Candidate", "Optimizer", "align"]

FEWEST: Final = 10
"""Examples, as with MLflow."""
ALPHA: Final = 0.05
ORIGINAL: Final = "original"
OPTIMIZER: Final = "optimizer"


class Optimizer(Protocol):
    """What makes a better judge of one and of traces that people have labelled, as MLflow's optimizers do."""

    def align(self, judge: Any, traces: list[Trace]) -> Any:
        """The better judge."""


def align(
    judge: Judge,
    traces: Any,
    optimizer: Optimizer | None = None,
    *,
    label_name: str | None = None,
    model: str | JudgeModel | None = None,
    examples: int = 4,
    held_out: float = 0.4,
    threshold: float | None = None,
    settings: JudgeSettings | None = None,
) -> Judge:
    """A judge that agrees better with people; or the one that was given, where none is surely better.

    ``traces``: what ``search_traces`` answers, with feedback of people under the judge's name or ``label_name``; ten
    or more, and better a hundred. They are shared out, always alike: a part of ``held_out`` of them is put away. From
    half of the others candidates are made: with up to ``examples`` of them shown to the judge, those first where it was
    wrong; with instructions that ``model`` (None: the judge's) rewrites from the disagreements and their reasons; and
    with both. On the other half the best one is chosen. It is compared with the original on what was put away, by a
    paired test: only where the gain is more than chance would give is the new judge answered. ``alignment`` of what is
    answered tells everything, also where nothing was gained.

    ``optimizer`` makes the candidate in another way: an object with ``align(judge, traces)``. ``threshold``: from which
    number on it is a yes, where one side gives numbers. ``settings``: limits and a budget of asking.

    Raises ``InvalidEvaluation``, ``EvaluationError``, ``SearchError``.
    """
    if not isinstance(judge, Judge):
        raise InvalidEvaluation(f"judge: {judge!r} is no judge; make one with make_judge")
    if not 0.1 <= held_out <= 0.9:
        raise InvalidEvaluation(f"held_out: {held_out!r} is not a share from 0.1 to 0.9")
    if not isinstance(examples, int) or examples < 1:
        raise InvalidEvaluation(f"examples: {examples!r} is not a number from 1 on")
    label = label_name or judge.name
    found = examples_of(judge, traces, label)
    if len(found.found) < FEWEST:
        raise InvalidEvaluation(
            f"traces: {len(found.found)} of them have feedback {label!r} of people that is decided, and "
            f"{found.undecided} that is not; aligning needs {FEWEST}, and better a hundred"
        )
    shares = shared_out(found.found, held_out)
    work = _Work(judge, shares, found.undecided, examples, model_of(model) if model else judge.model, threshold)
    return run_blocking(work.run(optimizer, settings or JudgeSettings()))


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What a judge said of an example; None where it failed."""

    example: Example
    value: Any = None
    rationale: str = ""


class _Work:
    """One alignment."""

    def __init__(
        self, judge: Judge, shares: Shares, undecided: int, examples: int, model: JudgeModel, threshold: float | None
    ) -> None:
        self._judge = judge
        self._shares = shares
        self._undecided = undecided
        self._examples = examples
        self._model = model
        self._threshold = threshold

    async def run(self, optimizer: Optimizer | None, settings: JudgeSettings) -> Judge:
        async with ModelAsker(settings) as asker:
            limit = asyncio.Semaphore(settings.concurrency)
            before = await self._verdicts(self._judge, [*self._shares.fit, *self._shares.validation], asker, limit)
            if not before:
                raise InvalidEvaluation(f"traces: {self._judge.name} is not applicable to any of them")
            people = [each.people.value for share in self._parts() for each in share]
            scale = scale_of([each.value for each in before if each.value is not None], people, self._threshold)
            if not scale.kind:
                raise InvalidEvaluation(f"{self._judge.name}: {scale.reason}")
            if optimizer is not None:
                return await self._compared(await self._optimized(optimizer), [], scale, asker, limit)
            fitted = {id(each) for each in self._shares.fit}
            judged = [_judged(each, scale) for each in before if id(each.example) in fitted]
            known = [each for each in before if id(each.example) not in fitted]
            tried = await candidates_of(self._judge, judged, self._examples, self._model, asker)
            best, candidates = await self._best(tried, known, scale, asker, limit)
            if best.judge is None:
                return self._unchanged(candidates, "no candidate agrees better with people than the original judge")
            return await self._compared(best, candidates, scale, asker, limit)

    def _parts(self) -> tuple[list[Example], list[Example], list[Example]]:
        return self._shares.fit, self._shares.validation, self._shares.held_out

    async def _best(
        self, tried: Sequence[Tried], known: Sequence[_Verdict], scale: Scale, asker: Asker, limit: asyncio.Semaphore
    ) -> tuple[Tried, list[Candidate]]:
        """The candidate that is nearest to people on the validation part; one without a judge if none is nearer."""
        best, highest = Tried(ORIGINAL, None), _closeness(known, scale)
        candidates = [Candidate(ORIGINAL, highest)]
        for each in tried:
            if each.judge is None:
                candidates.append(Candidate(each.name, None, each.note))
                continue
            found = await self._verdicts(each.judge, [one.example for one in known], asker, limit)
            closeness = _closeness(found, scale)
            candidates.append(Candidate(each.name, closeness, each.note))
            if closeness is not None and (highest is None or closeness > highest):
                best, highest = each, closeness
        return best, candidates

    async def _optimized(self, optimizer: Optimizer) -> Tried:
        traces = [
            trace
            for each in (*self._shares.fit, *self._shares.validation)
            for trace in ([each.subject.trace] if each.subject.trace else each.subject.session)
        ]
        made = await asyncio.to_thread(optimizer.align, self._judge, traces)
        if not isinstance(made, Judge):
            raise InvalidEvaluation(f"optimizer: align() answered {made!r}, which is no judge of hansei")
        return Tried(OPTIMIZER, made)

    async def _compared(
        self, best: Tried, candidates: Sequence[Candidate], scale: Scale, asker: Asker, limit: asyncio.Semaphore
    ) -> Judge:
        """The best candidate where it is surely better on what was held out, else the original."""
        assert best.judge is not None
        before = await self._verdicts(self._judge, self._shares.held_out, asker, limit)
        after = await self._verdicts(best.judge, [each.example for each in before], asker, limit)
        later = {id(each.example): each for each in after}
        pairs = [(each, later[id(each.example)]) for each in before if id(each.example) in later]
        found = paired_difference(
            [_near(each, scale) for each, _ in pairs],
            [_near(each, scale) for _, each in pairs],
            [each.example.subject.session_id or "" for each, _ in pairs],
        )
        if found is None:
            return self._unchanged(candidates, "nothing of what was held out could be judged")
        measures = [measures_of(_pairs(side), scale) for side in zip(*pairs, strict=True)]
        aligned = found.difference > 0 and found.p_value < ALPHA
        gain = f"{best.name}: {found.before:.3f} → {found.after:.3f} on {found.pairs} examples that were held out"
        message = f"aligned by {gain}" if aligned else f"not changed: no evidence of a gain by {gain}"
        report = Alignment(
            aligned=aligned,
            message=f"{self._judge.name} {message}",
            fitted=len(self._shares.fit),
            validated=len(self._shares.validation),
            held_out=len(self._shares.held_out),
            undecided=self._undecided,
            candidates=list(candidates),
            chosen=best.name,
            agreement_before=measures[0].agreement,
            agreement_after=measures[1].agreement,
            kappa_before=measures[0].kappa,
            kappa_after=measures[1].kappa,
            difference=found.difference,
            interval=found.interval,
            p_value=found.p_value,
            test=found.test,
        )
        return _with(best.judge if aligned else self._judge, report)

    def _unchanged(self, candidates: Sequence[Candidate], why: str) -> Judge:
        fit, validation, held_out = map(len, self._parts())
        message = f"{self._judge.name} not changed: {why}"
        return _with(
            self._judge,
            Alignment(False, message, fit, validation, held_out, self._undecided, list(candidates), ORIGINAL),
        )

    async def _verdicts(
        self, judge: Judge, examples: Sequence[Example], asker: Asker, limit: asyncio.Semaphore
    ) -> list[_Verdict]:
        """What a judge says of examples; those to which it is not applicable are left out."""

        async def one(example: Example) -> _Verdict | None:
            async with limit:
                try:
                    answer = await judge.judge(asker, example.subject.subject_id, **judge.given(example.subject))
                except NotApplicable:
                    return None
                except JudgeError:
                    return _Verdict(example)
            said = next((each for each in feedbacks_of(judge, answer) if each.span_id is None), None)
            return None if said is None else _Verdict(example, said.value, said.rationale or "")

        return [each for each in await asyncio.gather(*map(one, examples)) if each is not None]


def _near(verdict: _Verdict, scale: Scale) -> float:
    """A judge that failed is as far off as can be."""
    return 0.0 if verdict.value is None else scale.closeness(verdict.value, verdict.example.people.value)


def _closeness(verdicts: Sequence[_Verdict], scale: Scale) -> float | None:
    found = [_near(each, scale) for each in verdicts]
    return sum(found) / len(found) if found else None


def _judged(verdict: _Verdict, scale: Scale) -> Judged:
    return Judged(verdict.example, verdict.value, verdict.rationale, _near(verdict, scale))


def _pairs(verdicts: Sequence[_Verdict]) -> list[Pair]:
    return [
        Pair(
            each.example.subject.trace_id or "",
            "",
            each.example.subject.session_id or "",
            Judgement(each.value, each.rationale, "", "", each.example.subject.time_ms),
            each.example.people,
        )
        for each in verdicts
        if each.value is not None
    ]


def _with(judge: Judge, report: Alignment) -> Judge:
    judge.alignment = report
    return judge
