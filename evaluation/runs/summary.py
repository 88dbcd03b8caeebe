"""What a run comes to: metrics, and how many rows and scores there were of which kind."""

from collections.abc import Mapping, Sequence
from typing import Any

from hansei.evaluation.batch.funnel import ScorerCounts
from hansei.evaluation.runs.record import RowScore, RunRow
from hansei.evaluation.runs.statistics import Intervals, Metrics, metrics_of
from hansei.evaluation.scorer import Scorer
from hansei.evaluation.scoring import Score
from hansei.feedback.assessment import Feedback


class Summary:
    """Counts scores as they come; metrics are worked out once all rows are there."""

    def __init__(self, scorers: Sequence[Scorer], seen: int) -> None:
        self._scorers = scorers
        self._seen = seen
        self._counts = {each.name: ScorerCounts(each.version) for each in scorers}
        self._known: tuple[Metrics, Intervals] | None = None
        self.rows: list[RunRow] = []
        self.cost_usd: float | None = None
        """What judging took; None where no price is known."""

    def add_score(self, score: Score) -> None:
        """Count a score."""
        counts = self._counts[score.scorer.name]
        counts.add(score)
        counts.unasked += score.unasked
        if score.cost_usd is not None:
            self.cost_usd = (self.cost_usd or 0.0) + score.cost_usd

    def add_rows(self, rows: Sequence[RunRow]) -> None:
        """Take rows with their scores."""
        self.rows += rows
        self._known = None

    @property
    def unasked(self) -> int:
        """Scores for which the budget left nothing."""
        return sum(each.unasked for each in self._counts.values())

    @property
    def funnel(self) -> dict[str, Any]:
        """How many rows were seen and failed, and what became of each scorer's scores, as that of a batch."""
        return {
            "seen": self._seen,
            "selected": self._seen,
            "predictions_failed": sum(1 for row in self.rows if row.error),
            "conflicts": sum(len(row.expected_by.get("conflicts", ())) for row in self.rows),
            "cost_usd": self.cost_usd,
            "scorers": {name: counts.to_json() for name, counts in self._counts.items()},
        }

    @property
    def metrics(self) -> Metrics:
        """By ``name/aggregation``."""
        return self._found()[0]

    @property
    def intervals(self) -> Intervals:
        """The 95 % intervals of the metrics that have one."""
        return self._found()[1]

    def _found(self) -> tuple[Metrics, Intervals]:
        if self._known is None:
            self._known = self._worked_out()
        return self._known

    def _worked_out(self) -> tuple[Metrics, Intervals]:
        values: dict[str, list[object]] = {}
        clusters: dict[str, list[str]] = {}
        owners: dict[str, str] = {}
        for row in self.rows:
            for score in row.scores:
                if score.value is not None:
                    values.setdefault(score.name, []).append(score.value)
                    # What is said several times of one row, as of each document, is not independent either.
                    clusters.setdefault(score.name, []).append(row.session_id or row.trace_id)
                    owners[score.name] = score.scorer
        by_scorer: Mapping[str, Any] = {each.name: each.aggregations for each in self._scorers}
        aggregations = {name: by_scorer[owner] for name, owner in owners.items() if owner in by_scorer}
        return metrics_of(values, aggregations, clusters=clusters)


def row_scores(score: Score, assessment_ids: Sequence[str]) -> list[RowScore]:
    """What a scorer said of a row, as it is kept with it."""
    scorer = score.scorer
    if not score.feedbacks:
        reason = "the budget was spent" if score.unasked else score.skipped
        return [RowScore(scorer.name, scorer.name, scorer.version, skipped=reason, duration_ms=score.duration_ms)]
    return [
        RowScore(
            name=feedback.name,
            scorer=scorer.name,
            version=scorer.version,
            value=feedback.value,
            rationale=feedback.rationale or "",
            source_type=feedback.source.source_type if feedback.source else "",
            source_id=feedback.source.source_id if feedback.source else "",
            error=(feedback.error.error_message or feedback.error.error_code) if feedback.error else "",
            assessment_id=assessment_id,
            span_id=feedback.span_id or "",
            duration_ms=score.duration_ms,
            cost_usd=_cost(feedback),
        )
        for feedback, assessment_id in zip(score.feedbacks, assessment_ids, strict=True)
    ]


def _cost(feedback: Feedback) -> float | None:
    told = (feedback.metadata or {}).get("cost_usd")
    return None if told is None else float(told)
