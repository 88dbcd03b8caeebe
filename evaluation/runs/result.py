"""What an evaluation comes to."""

from collections.abc import Mapping
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.runs.record import RunRow
from hansei.evaluation.runs.summary import Summary

if TYPE_CHECKING:
    from hansei.feedback.search.frame import DataFrame

_FIXED = (
    "position", "trace_id", "session_id", "record_id", "inputs", "outputs", "expectations", "tags", "error",
    "duration_ms",
)  # fmt: skip
_NO_NUMBER = float("-inf")
"""Of what failed: before every score."""


class EvaluationResult:
    """Metrics with their intervals, and a row for everything that was evaluated."""

    def __init__(self, run_id: str, name: str, summary: Summary, url: str) -> None:
        self.run_id = run_id
        """Of the run at the hansei: ``search_traces(run_id=…)`` finds what it scored."""
        self.name = name
        self.url = url
        """The run's page."""
        self.metrics: Mapping[str, float] = summary.metrics
        """By ``scorer/aggregation``, such as ``correctness/mean``."""
        self.intervals: Mapping[str, tuple[float, float]] = summary.intervals
        """The 95 % intervals of those metrics that have one."""
        self.funnel: Mapping[str, Any] = summary.funnel
        """How many rows were seen, and how many scores of each scorer were made, failed, or were skipped and why."""
        self.rows: list[RunRow] = summary.rows
        self.cost_usd = summary.cost_usd
        """What judging took; None where no price is known."""

    @cached_property
    def result_df(self) -> "DataFrame":
        """A row each: inputs, outputs, expectations, and of each scorer ``name/value``, ``name/rationale`` and
        ``name/error``. Raises ``SearchError`` where pandas is missing."""
        from hansei.feedback.search.frame import data_frame

        names = dict.fromkeys(score.name for row in self.rows for score in row.scores)
        columns = [*_FIXED, *(f"{name}/{part}" for name in names for part in ("value", "rationale", "error"))]
        return data_frame([_flat(row) for row in self.rows], columns)

    @property
    def tables(self) -> dict[str, "DataFrame"]:
        """As MLflow's: ``eval_results``."""
        return {"eval_results": self.result_df}

    def worst(self, name: str, count: int = 10) -> "DataFrame":
        """The rows with the lowest scores of a scorer, those that failed first. Raises ``InvalidEvaluation``."""
        from hansei.evaluation.runs.numbers import number_of

        column = f"{name}/value"
        frame = self.result_df
        if column not in frame.columns:
            known = ", ".join(each.removesuffix("/value") for each in frame.columns if each.endswith("/value"))
            raise InvalidEvaluation(f"name: there is no score {name!r}; there are {known or 'none'}")
        numbers = [_NO_NUMBER if (found := number_of(value)) is None else found for value in frame[column]]
        order = sorted(range(len(numbers)), key=numbers.__getitem__)
        return frame.iloc[order[:count]]

    def plot(self, name: str | None = None) -> Any:
        """A figure of matplotlib: how the scores are distributed, of one scorer or of all."""
        from hansei.evaluation.runs.plots import plot_scores

        return plot_scores(self, name)

    def __repr__(self) -> str:
        return f"EvaluationResult(run_id={self.run_id!r}, metrics={dict(self.metrics)!r})"

    def __str__(self) -> str:
        lines = [f"{self.name}: {len(self.rows)} rows", *(f"  {left:<36} {right}" for left, right in self._lines())]
        return "\n".join([*lines, f"  {self.url}"])

    def _repr_html_(self) -> str:
        body = "".join(f"<tr><td>{escape(left)}</td><td>{escape(right)}</td></tr>" for left, right in self._lines())
        link = f'<a href="{escape(self.url)}">{escape(self.name)}</a>'
        return f"<p>{link}: {len(self.rows)} rows</p><table>{body}</table>"

    def _lines(self) -> list[tuple[str, str]]:
        found = []
        for name, value in self.metrics.items():
            ends = self.intervals.get(name)
            found.append((name, f"{value:.4g}" + (f"  ({ends[0]:.4g} to {ends[1]:.4g})" if ends else "")))
        for name, counts in self.funnel["scorers"].items():
            told = [f"{counts[kind]} {kind}" for kind in ("failed", "skipped", "unasked") if counts[kind]]
            if told:
                why = next(iter({**counts["errors"], **counts["reasons"]}), "")
                found.append((name, ", ".join(told) + (f": {why}" if why else "")))
        if self.funnel["predictions_failed"]:
            found.append(("predict_fn", f"failed for {self.funnel['predictions_failed']} rows"))
        if self.cost_usd is not None:
            found.append(("judging", f"{self.cost_usd:.4f} USD"))
        return found


def _flat(row: RunRow) -> dict[str, Any]:
    flat = {name: getattr(row, name) for name in _FIXED}
    for score in row.scores:
        flat[f"{score.name}/value"] = score.value
        flat[f"{score.name}/rationale"] = score.rationale or score.skipped or None
        flat[f"{score.name}/error"] = score.error or None
    return flat
