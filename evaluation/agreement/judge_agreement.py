"""A judge against people: agreement in numbers, over time, and the disagreements one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hansei.evaluation.agreement.agreement_text import agreement_html, agreement_text
from hansei.evaluation.agreement.drift import (
    DAY,
    PERIODS,
    PeriodAgreement,
    VersionAgreement,
    by_period,
    by_version,
    period_for,
)
from hansei.evaluation.agreement.measures import ClassAgreement, Measures, classes_of, confusion_of, measures_of
from hansei.evaluation.agreement.pairs import Pair, read_pairs
from hansei.evaluation.agreement.scale import NUMBERS, Scale, scale_of
from hansei.evaluation.errors import InvalidEvaluation
from hansei.feedback.labeling.labeling_session import LabelingSession, get_labeling_session
from hansei.feedback.labeling.resampling import Coefficient
from hansei.feedback.labeling.texts import brief
from hansei.feedback.search.arguments import one_line
from hansei.feedback.search.connection import Query, connections
from hansei.feedback.search.moment import END_OF_TIME, Moment, nanoseconds

if TYPE_CHECKING:
    from hansei.feedback.search.frame import DataFrame

MOST_DISAGREEMENTS: Final = 10_000
_COLUMNS: Final = (
    "trace_id", "span_id", "session_id", "judge_value", "people_value", "closeness", "judge_rationale",
    "people_rationale", "people", "rule", "judge_version", "judge_source_id", "time_ms",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A target of which a judge and people say different things."""

    trace_id: str
    span_id: str
    session_id: str
    judge_value: Any
    people_value: Any
    closeness: float
    """0 for as far apart as can be, less than 1."""
    judge_rationale: str
    people_rationale: str
    people: Sequence[str]
    """Who says so."""
    rule: str
    """Why it holds: ``adjudicated``, ``only``, ``unanimous``, ``majority``."""
    judge_version: str
    judge_source_id: str
    time_ms: int
    """When the judge said it, milliseconds since 1970."""


@dataclass(frozen=True)
class JudgeAgreement:
    """What :func:`judge_agreement` finds."""

    judge_name: str
    label_name: str
    kind: str
    """``yes or no``, ``categories``, ``numbers`` or ``lists``; empty where the two cannot be compared."""
    reason: str
    """Why they cannot."""
    measures: Measures
    undecided: int
    """Targets about which people disagree, which are left out."""
    unjudged: int
    """Targets that people have labelled and the judge has not judged."""
    classes: Sequence[str] = ()
    confusion: Sequence[Sequence[int]] = ()
    """By the judge's class (rows) and that of people (columns), in the order of ``classes``."""
    by_class: Sequence[ClassAgreement] = ()
    mean_difference: Coefficient = field(default_factory=Coefficient)
    """Of numbers: the judge's less that of people."""
    period: str = DAY
    periods: Sequence[PeriodAgreement] = ()
    versions: Sequence[VersionAgreement] = ()
    disagreements: Sequence[Disagreement] = ()
    """The furthest apart first, then the newest."""

    @property
    def pairs(self) -> int:
        """Targets that both have judged."""
        return self.measures.pairs

    @property
    def agreement(self) -> Coefficient:
        """The share of them of which both say the same."""
        return self.measures.agreement

    @property
    def kappa(self) -> Coefficient:
        """Cohen's kappa."""
        return self.measures.kappa

    @property
    def alpha(self) -> Coefficient:
        """Krippendorff's alpha."""
        return self.measures.alpha

    def to_json(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)

    def to_df(self) -> "DataFrame":
        """A row for each class, with precision, recall and F1. Raises ``SearchError`` where pandas is missing."""
        parts = ("precision", "recall", "f1")
        rows = [
            {"class": each.name, "judged": each.judged, "labelled": each.labelled}
            | {name: getattr(each, name).value for name in parts}
            | {f"{name}_low": getattr(each, name).low for name in parts}
            | {f"{name}_high": getattr(each, name).high for name in parts}
            for each in self.by_class
        ]
        ends = [f"{name}{end}" for name in parts for end in ("", "_low", "_high")]
        return _frame(rows, ["class", "judged", "labelled", *ends])

    def disagreements_df(self) -> "DataFrame":
        """A row for each disagreement. Raises ``SearchError`` where pandas is missing."""
        return _frame([asdict(each) for each in self.disagreements], _COLUMNS)

    def send_to_labeling(self, session: "LabelingSession | str", maximum: int = 1000) -> LabelingSession:
        """Add the disagreements, the furthest apart first, to a labeling session, so that people look again.

        ``session``: the session or its name; its ``added`` tells how many. Raises ``HanseiError``.
        """
        found = get_labeling_session(session) if isinstance(session, str) else session
        chosen = self.disagreements[:maximum]
        targets = [(each.trace_id, each.span_id) if each.span_id else each.trace_id for each in chosen if each.trace_id]
        sessions = [each.session_id for each in chosen if not each.trace_id]
        reason = f"{self.judge_name} disagrees with {self.label_name}"[:200]
        return found.add_traces(targets, session_ids=sessions, reason=reason)

    def plot(self) -> Any:
        """A figure of matplotlib: the confusion matrix, and agreement over time."""
        from hansei.evaluation.runs.plots import plot_agreement

        return plot_agreement(self)

    def __str__(self) -> str:
        return agreement_text(self)

    def _repr_html_(self) -> str:
        return agreement_html(self)


def judge_agreement(
    judge_name: str,
    label_name: str | None = None,
    *,
    start_time: Moment | None = None,
    end_time: Moment | None = None,
    labeling_session: "LabelingSession | str | None" = None,
    run_id: str | None = None,
    judge_version: str | None = None,
    threshold: float | None = None,
    period: str | None = None,
) -> JudgeAgreement:
    """How far a judge, or a scorer that is code, agrees with people about the same traces, spans and conversations.

    ``judge_name``: of the scorer. ``label_name``: of the labels, where it is another one. ``start_time``, ``end_time``:
    when the judge spoke. ``labeling_session``: labels of that session alone. ``run_id``: what the judge said in that
    run. ``judge_version``: of that version alone; else of each target what the judge said last. ``threshold``: from
    which number on it is a yes, where one side gives numbers. ``period``: ``day`` or ``week``, for how it changes.

    What a person has overridden counts as what the judge said. Of several people's labels holds what an arbiter
    decided, else what all or more than half of them say; targets without that are counted as undecided.

    Raises ``InvalidEvaluation``, ``SearchError``.
    """
    session_id = ""
    if labeling_session is not None:
        found = get_labeling_session(labeling_session) if isinstance(labeling_session, str) else labeling_session
        session_id = found.labeling_session_id
    return read_agreement(
        connections.query,
        judge_name,
        label_name,
        start_time=start_time,
        end_time=end_time,
        labeling_session_id=session_id,
        run_id=run_id,
        judge_version=judge_version,
        threshold=threshold,
        period=period,
    )


def read_agreement(
    query: Query,
    judge_name: str,
    label_name: str | None = None,
    *,
    start_time: Moment | None = None,
    end_time: Moment | None = None,
    labeling_session_id: str = "",
    run_id: str | None = None,
    judge_version: str | None = None,
    threshold: float | None = None,
    period: str | None = None,
) -> JudgeAgreement:
    """As :func:`judge_agreement`, by any reader."""
    if not isinstance(judge_name, str) or not judge_name:
        raise InvalidEvaluation(f"judge_name: {brief(judge_name)} is not the name of a judge")
    if period is not None and period not in PERIODS:
        raise InvalidEvaluation(f"period: {brief(period)} is not one of {', '.join(PERIODS)}")
    label = label_name or judge_name
    pairs = read_pairs(
        query,
        one_line("judge_name", judge_name),
        one_line("label_name", label),
        labeling_session_id=one_line("labeling_session", labeling_session_id),
        run_id=one_line("run_id", run_id or ""),
        version=one_line("judge_version", judge_version or ""),
        from_ns=0 if start_time is None else nanoseconds("start_time", start_time),
        until_ns=END_OF_TIME if end_time is None else nanoseconds("end_time", end_time),
    )
    # All versions, so that they are compared on the same scale.
    judged = [pair.judge.value for of_version in pairs.by_version.values() for pair in of_version]
    scale = scale_of(judged, [pair.people.value for pair in pairs.latest], threshold)
    shown = period or period_for(pairs.latest)
    if not scale.kind:
        measures = measures_of(pairs.latest, scale)
        return JudgeAgreement(judge_name, label, "", scale.reason, measures, pairs.undecided, pairs.unjudged)
    confusion = confusion_of(pairs.latest, scale)
    return JudgeAgreement(
        judge_name,
        label,
        scale.kind,
        "",
        measures_of(pairs.latest, scale),
        pairs.undecided,
        pairs.unjudged,
        scale.classes,
        confusion,
        classes_of(confusion, scale.classes),
        _mean_difference(pairs.latest, scale),
        shown,
        by_period(pairs.latest, scale, shown),
        by_version(pairs.by_version, scale),
        _disagreements(pairs.latest, scale),
    )


def _mean_difference(pairs: Sequence[Pair], scale: Scale) -> Coefficient:
    if scale.kind != NUMBERS:
        return Coefficient(reason="the values are no numbers")
    from hansei.evaluation.runs.paired import paired_difference

    judged = [scale.answer(pair.judge.value) for pair in pairs]
    said = [scale.answer(pair.people.value) for pair in pairs]
    found = paired_difference(said, judged, [pair.cluster for pair in pairs])
    return Coefficient() if found is None else Coefficient(found.difference, *(found.interval or (None, None)))


def _disagreements(pairs: Sequence[Pair], scale: Scale) -> list[Disagreement]:
    apart = [(scale.closeness(pair.judge.value, pair.people.value), pair) for pair in pairs]
    found = sorted(
        (each for each in apart if each[0] < 1), key=lambda each: (each[0], -each[1].judge.time_ms, each[1].trace_id)
    )
    return [
        Disagreement(
            pair.trace_id,
            pair.span_id,
            pair.session_id,
            pair.judge.value,
            pair.people.value,
            closeness,
            pair.judge.rationale,
            pair.people.rationale,
            pair.people.source_ids,
            pair.people.rule,
            pair.judge.version,
            pair.judge.source_id,
            pair.judge.time_ms,
        )
        for closeness, pair in found[:MOST_DISAGREEMENTS]
    ]


def _frame(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> "DataFrame":
    from hansei.feedback.search.frame import data_frame

    return data_frame(rows, columns)
