"""One run of a batch: what it is made of, put together."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from hansei.evaluation.batch.alerts import tell_alerts
from hansei.evaluation.batch.chosen_scorers import chosen_scorers
from hansei.evaluation.batch.config import BatchConfig, Shard
from hansei.evaluation.batch.expected import expectations_reader
from hansei.evaluation.batch.funnel import Funnel
from hansei.evaluation.batch.judging import BatchAsker
from hansei.evaluation.batch.lease import HeldLease
from hansei.evaluation.batch.result import BatchResult
from hansei.evaluation.batch.run_scoring import RunScoring, count_piece
from hansei.evaluation.batch.selection import Selection
from hansei.evaluation.batch.watermark import read_record, write_record
from hansei.evaluation.batch.window import Window, back_fill, next_window
from hansei.evaluation.batch.work import WorkPlan
from hansei.evaluation.client import EvaluationClient
from hansei.evaluation.errors import EvaluationError, InvalidEvaluation
from hansei.evaluation.judges.alone import run_blocking
from hansei.evaluation.judges.judge import Judge
from hansei.evaluation.runs.progress import progress_bar
from hansei.evaluation.runs.run import Run
from hansei.evaluation.subject import SubjectKind
from hansei.feedback.search.connection import connections
from hansei.feedback.search.moment import Moment, nanoseconds

_KINDS: Final[Mapping[str, SubjectKind]] = {"traces": "trace", "sessions": "session"}


def run_batch(
    config: BatchConfig | Mapping[str, Any] | str | Path,
    *,
    since: Moment | None = None,
    until: Moment | None = None,
    shard: str | None = None,
    journal: str | Path | None = None,
    dry_run: bool = False,
    progress: bool | None = None,
    stop: threading.Event | None = None,
) -> BatchResult:
    """Score what has ended since the last run of a batch, at the hansei of ``HANSEI_URL``; blocks until it is done.

    ``config``: a :class:`BatchConfig`, the path of its YAML file, or what such a file holds. ``since`` and ``until``
    ask for a time of its own, which does not move the watermark. ``shard``: ``2/4`` for the second of four parts, each
    with its own watermark. ``journal``: the folder in which answers of models are kept until their scores are stored.
    With ``dry_run`` nothing is asked or written, and the result says what there is to do. Once ``stop`` is set, what is
    under way is finished and no more begun.

    What is scored already by the same version of a scorer is left out, so a run that was killed goes on where it was.
    Raises ``InvalidEvaluation`` for a mistake in the configuration, ``HeldElsewhere`` where another process runs this
    batch, else ``EvaluationError`` and ``SearchError``.
    """
    batch = _batch(config, shard, journal, progress, stop)
    since_ms, until_ms = _ms("since", since), _ms("until", until)
    if since_ms is not None and until_ms is not None and since_ms >= until_ms:
        raise InvalidEvaluation(f"until: {until!r} is not after since, {since!r}")
    if dry_run:
        return batch.estimate(since_ms, until_ms)
    with batch.lease():
        return batch.run(since_ms, until_ms)


def run_if(
    config: BatchConfig,
    wanted: Callable[[], bool],
    *,
    shard: str | None = None,
    journal: str | Path | None = None,
    stop: threading.Event | None = None,
) -> BatchResult | None:
    """As :func:`run_batch`, where ``wanted`` says so once no other process can run it; None where it does not."""
    batch = _batch(config, shard, journal, False, stop)
    with batch.lease():
        return batch.run(None, None) if wanted() else None


def _batch(
    config: BatchConfig | Mapping[str, Any] | str | Path,
    shard: str | None,
    journal: str | Path | None,
    progress: bool | None,
    stop: threading.Event | None,
) -> "_Batch":
    return _Batch(
        config if isinstance(config, BatchConfig) else _config(config),
        EvaluationClient(),
        None if shard is None else Shard.parse(shard),
        None if journal is None else Path(journal),
        progress,
        stop or threading.Event(),
    )


def _config(given: Mapping[str, Any] | str | Path) -> BatchConfig:
    return BatchConfig.read(given) if isinstance(given, str | Path) else BatchConfig.of(given)


def _ms(name: str, moment: Moment | None) -> int | None:
    return None if moment is None else nanoseconds(name, moment) // 1_000_000


class _Batch:
    """A batch, ready to run once."""

    def __init__(
        self,
        config: BatchConfig,
        client: EvaluationClient,
        shard: Shard | None,
        journal: Path | None,
        progress: bool | None,
        stop: threading.Event,
    ) -> None:
        self.client = client
        self.name = config.name if shard is None else f"{config.name}#{shard}"
        self._config = config
        self._kind = _KINDS[config.subjects.kind]
        self._scorers = chosen_scorers(config)
        self._shard = shard
        self._journal = journal
        self._progress = progress
        self._stop = stop
        self._lost = False

    def lease(self) -> HeldLease:
        """Held by who runs it."""
        return HeldLease(self.client, f"evaluation-batch:{self.name}", self.lose)

    def lose(self) -> None:
        """The lease is gone: begin nothing more."""
        self._lost = True
        self._stop.set()

    def estimate(self, since_ms: int | None, until_ms: int | None) -> BatchResult:
        """What there is to do."""
        window = self._window(since_ms, until_ms)
        funnel = Funnel(self._scorers)
        missing = dict.fromkeys(funnel.scorers, 0)
        for piece in self._plan(window).pieces(read=False):
            count_piece(funnel, None, piece)
            for name, count in piece.missing.items():
                missing[name] += count
        funnel.close()
        calls = sum(missing[each.name] for each in self._scorers if isinstance(each, Judge))
        return BatchResult(
            self.name, "", "dry", (window.start, window.end), funnel.to_json(), calls=calls,
            message=f"{sum(missing.values())} scores are missing",
        )  # fmt: skip

    def run(self, since_ms: int | None, until_ms: int | None) -> BatchResult:
        """Do it."""
        window = self._window(since_ms, until_ms)
        run = Run.start(
            self.name, "batch", config=self._described(), batch=self.name, window_ms=(window.start, window.end),
            client=self.client,
        )  # fmt: skip
        begun: dict[str, Any] = {"config": self._config.to_json(), "last_run_id": run.run_id, "status": "running"}
        if not window.back_fill:
            # Of a first run too that does not get to its end: the next one begins where this one did.
            begun["watermark_ms"] = window.start
        write_record(self.client, self.name, **begun)
        judging = any(isinstance(each, Judge) for each in self._scorers)
        scoring = RunScoring(
            self.client, run, self._plan(window), self._scorers,
            BatchAsker(self._config, self.name, run.run_id, self._journal, judging=judging), self._stop,
            progress_bar(None, self._progress, unit=self._kind),
        )  # fmt: skip
        began = time.monotonic()
        try:
            run_blocking(scoring.work())
        except BaseException as error:
            message = f"{type(error).__name__}: {error}"[:1000]
            scoring.funnel.close()
            # What went wrong is told, not that this could not be told to the server too.
            with suppress(EvaluationError):
                run.finish("failed", funnel=scoring.funnel.to_json(), message=message)
                write_record(self.client, self.name, status="failed")
            raise
        result = self._result(run, window, scoring, time.monotonic() - began)
        run.finish(
            result.status, metrics=result.metrics, intervals=result.intervals, funnel=result.funnel,
            message=result.message,
        )  # fmt: skip
        self._move(window, scoring, result)
        if self._config.alerts and result.status == "finished":
            tell_alerts(self.client, self._config.alerts, result)
        return result

    def _result(self, run: Run, window: Window, scoring: RunScoring, seconds: float) -> BatchResult:
        metrics, intervals = scoring.metrics()
        status, message = "finished", ""
        if self._lost:
            status, message = "failed", "another process may have taken over: the lease could not be extended in time"
        elif scoring.spent:
            status, message = "stopped", "the budget is spent; the next run goes on where this one was"
        elif not scoring.complete:
            status, message = "stopped", "it was stopped; the next run goes on where this one was"
        return BatchResult(
            self.name, run.run_id, status, (window.start, window.end), scoring.funnel.to_json(),
            metrics, intervals, message, scoring.cost_usd, seconds, budget_spent=scoring.spent and not self._lost,
            url=run.url,
        )  # fmt: skip

    def _move(self, window: Window, scoring: RunScoring, result: BatchResult) -> None:
        """Say how far the batch has come: no further than all was done."""
        changes: dict[str, Any] = {"status": result.status}
        if result.status == "finished" and not window.back_fill:
            changes["watermark_ms"] = window.end
            changes["retry_from_ms"] = min(scoring.earliest_failure or window.end, window.end)
        write_record(self.client, self.name, **changes)

    def _window(self, since_ms: int | None, until_ms: int | None) -> Window:
        record = read_record(self.client, self.name)
        if self._shard is not None and (record is None or not record.watermark_ms):
            # The parts of a batch go on where the whole one was.
            record = read_record(self.client, self._config.name)
        now_ms = time.time_ns() // 1_000_000
        if since_ms is not None or until_ms is not None:
            return back_fill(since_ms, until_ms, self._config.subjects, now_ms)
        return next_window(record, self._config.subjects, now_ms)

    def _plan(self, window: Window) -> WorkPlan:
        selection = Selection(connections.query, self._config.subjects, window, self._shard)
        expectations = expectations_reader(connections.query, self._kind, self._config.expectations)
        return WorkPlan(connections.query, self._kind, selection, self._scorers, expectations)

    def _described(self) -> dict[str, Any]:
        scorers = [
            {
                "name": each.name, "version": each.version, "source_type": each.source_type,
                **({"model": each.model.name} if isinstance(each, Judge) else {}),
            }
            for each in self._scorers
        ]  # fmt: skip
        return {**self._config.to_json(), "scorers": scorers, "shard": str(self._shard or "")}
