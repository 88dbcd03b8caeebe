"""``evaluate()``: scoring data, with or without running the application again."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, Final

from hansei.evaluation.client import EvaluationClient
from hansei.evaluation.errors import EvaluationError, InvalidEvaluation
from hansei.evaluation.expectations import OnConflict
from hansei.evaluation.json_text import canonical_json, plain_json
from hansei.evaluation.judges.alone import run_blocking
from hansei.evaluation.judges.asking import ModelAsker
from hansei.evaluation.judges.judge import Judge
from hansei.evaluation.judges.settings import JudgeSettings
from hansei.evaluation.ledger_writer import LedgerWriter
from hansei.evaluation.runs.data import Data, DataRow, data_of
from hansei.evaluation.runs.prediction import Prediction, Predictions
from hansei.evaluation.runs.progress import progress_bar
from hansei.evaluation.runs.record import RowScore, RunRow
from hansei.evaluation.runs.result import EvaluationResult
from hansei.evaluation.runs.run import Run
from hansei.evaluation.runs.statistics import check_aggregations
from hansei.evaluation.runs.summary import Summary, row_scores
from hansei.evaluation.scorer import Scorer
from hansei.evaluation.scoring import Scored, Task, score_subjects
from hansei.evaluation.subject import Subject
from hansei.feedback.search.many_traces import get_traces
from hansei.feedback.search.trace import Trace

_TRACE_SECONDS: Final = 30.0
"""For which the traces of rows that were just predicted are waited for, all together."""
_ROWS_AT_ONCE: Final = 200
_WORKERS: Final = 10
"""As MLflow's: rows that ``predict_fn`` is called for at the same time."""


def evaluate(
    data: object,
    scorers: Sequence[Scorer],
    predict_fn: Callable[..., Any] | None = None,
    model_id: str | None = None,
    *,
    name: str | None = None,
    tags: Mapping[str, str] | None = None,
    judge: JudgeSettings | None = None,
    workers: int = _WORKERS,
    on_conflict: OnConflict = "skip",
    progress: bool | None = None,
) -> EvaluationResult:
    """Score data: metrics with intervals and a row each, which are a run at the hansei of ``HANSEI_URL`` too.

    ``data``: a DataFrame or a list of dicts with ``inputs``, ``outputs``, ``expectations``, ``tags``; traces, as
    ``search_traces`` gives them; a labeling session; a dataset; a filter for traces; or a SELECT with such columns.
    What is expected comes from the data and, of traces, from the ledger. Where people disagree about an expectation
    and nobody has decided, ``on_conflict`` says what holds: ``skip`` leaves it out and tells so, ``newest`` takes the
    last, ``error`` raises.

    ``scorers``: those that look at conversations score each conversation of the rows once. With ``predict_fn`` the
    application is run again: it is called with the inputs of each row by their names, ``workers`` rows at a time
    (a coroutine function: so many at a time), in a trace of its own. ``model_id`` is kept as a tag of the run.
    ``judge``: limits and a budget for models that judge. ``progress``: whether a bar is drawn; None: on a terminal and
    in a notebook.

    A row that fails is a row with an error, and is counted. Raises ``EvaluationError`` and ``SearchError``.
    """
    chosen = checked_scorers(scorers)
    if workers < 1:
        raise InvalidEvaluation(f"workers: {workers!r} is not 1 or more")
    given = data_of(data, on_conflict)
    if not given.rows:
        raise InvalidEvaluation("data: there are no rows in it")
    if predict_fn is None and not any(row.has_outputs for row in given.rows):
        raise InvalidEvaluation("data: no row has outputs; give them, or a predict_fn that makes them")
    client = EvaluationClient()
    settings = judge or JudgeSettings()
    told = dict(tags or {}) | ({"model_id": model_id} if model_id else {})
    run = Run.start(
        name or _name(given),
        config={"scorers": [_described(each) for each in chosen], "predict_fn": getattr(predict_fn, "__name__", None),
                "on_conflict": on_conflict},
        dataset=given.dataset, labeling_session_id=given.labeling_session_id, tags=told, client=client,
    )  # fmt: skip
    evaluation = _Evaluation(run, client, given, chosen, predict_fn, settings, workers, progress)
    try:
        summary = run_blocking(evaluation.work())
    except BaseException as error:
        # Where the server is away too, it is this error that is told.
        with suppress(EvaluationError):
            run.finish("failed", message=f"{type(error).__name__}: {error}"[:1000])
        raise
    status = "stopped" if summary.unasked else "finished"
    run.finish(status, metrics=summary.metrics, intervals=summary.intervals, funnel=summary.funnel)
    return EvaluationResult(run.run_id, run.name, summary, run.url)


def checked_scorers(scorers: object) -> list[Scorer]:
    """Some scorers, each of its own name, and with aggregations that there are. Raises ``InvalidEvaluation``."""
    if isinstance(scorers, Scorer) or not isinstance(scorers, Sequence) or not scorers:
        raise InvalidEvaluation("scorers: give a list with one scorer or more, such as [hansei.Correctness()]")
    for each in scorers:
        if not isinstance(each, Scorer):
            hint = "; write its name with ()" if isinstance(each, type) and issubclass(each, Scorer) else ""
            raise InvalidEvaluation(f"scorers: {each!r} is no scorer{hint or '; make one with @hansei.scorer'}")
        if not isinstance(each.name, str) or not each.name.strip():
            raise InvalidEvaluation(f"scorers: a {type(each).__name__} has no name; give it one")
        # Here, and not when everything has been asked and paid for.
        check_aggregations(each.name, each.aggregations)
    names = [each.name for each in scorers]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidEvaluation(f"scorers: two are called {twice!r}; give one of them another name")
    return list(scorers)


def _name(data: Data) -> str:
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    return f"{data.name or 'evaluation'} {now}"[:200]


def _described(scorer: Scorer) -> dict[str, Any]:
    described: dict[str, Any] = {"name": scorer.name, "version": scorer.version, "source_type": scorer.source_type}
    if isinstance(scorer, Judge):
        described["model"] = scorer.model.name
    return described


class _Evaluation:
    """One call of ``evaluate``."""

    def __init__(
        self,
        run: Run,
        client: EvaluationClient,
        data: Data,
        scorers: Sequence[Scorer],
        predict_fn: Callable[..., Any] | None,
        settings: JudgeSettings,
        workers: int,
        progress: bool | None,
    ) -> None:
        self._run = run
        self._client = client
        self._scorers = [each for each in scorers if not each.is_session_level_scorer]
        self._session_scorers = [each for each in scorers if each.is_session_level_scorer]
        self._predict = predict_fn
        self._predictions = Predictions(predict_fn, run.run_id, workers)
        self._settings = settings
        self._workers = workers
        self._rows = list(data.rows)
        self._done: list[Prediction | None] = [None] * len(self._rows)
        self._scored: dict[int, list[RowScore]] = {}
        self._summary = Summary(scorers, len(self._rows))
        self._places: dict[str, int] = {}
        """The row at which the scores of a conversation are shown, by its id."""
        self._progress = progress_bar(len(self._rows), progress)

    async def work(self) -> Summary:
        """Predict, score and write all rows."""
        try:
            await asyncio.gather(*(self._answer(position) for position in range(len(self._rows))))
            await asyncio.to_thread(self._read_traces)
            with self._progress:
                await self._score()
        finally:
            await asyncio.to_thread(self._predictions.close)
        for start in range(0, len(self._rows), _ROWS_AT_ONCE):
            rows = [self._row(place) for place in range(start, min(start + _ROWS_AT_ONCE, len(self._rows)))]
            await asyncio.to_thread(self._run.add_rows, rows)
            self._summary.add_rows(rows)
        return self._summary

    async def _answer(self, position: int) -> None:
        """Have the outputs and the trace of a row."""
        row = self._rows[position]
        if self._predict is not None:
            done = await self._predictions.predict(row)
        elif not row.trace_id:
            done = self._predictions.record(row)
        else:
            return
        self._done[position] = done
        self._rows[position] = replace(
            row, outputs=done.outputs, has_outputs=not done.error, trace=None, trace_id=done.trace_id
        )

    def _read_traces(self) -> None:
        """Read the traces that were just made, where a scorer looks at them."""
        wanted = any({"trace", "session"} & scorer.needs for scorer in (*self._scorers, *self._session_scorers))
        missing = [place for place, row in enumerate(self._rows) if row.trace is None and row.trace_id]
        if not wanted or not missing:
            return
        self._predictions.flush()
        found = get_traces((self._rows[place].trace_id for place in missing), wait=_TRACE_SECONDS)
        for place in missing:
            self._rows[place] = replace(self._rows[place], trace=found.get(self._rows[place].trace_id))

    async def _score(self) -> None:
        writer = await asyncio.to_thread(LedgerWriter, self._run.run_id, self._client, anew=True)
        try:
            async with ModelAsker(self._settings, run_id=self._run.run_id) as asker:
                async for scored in score_subjects(self._tasks(), asker, concurrency=self._concurrency()):
                    self._take(writer, scored)
        finally:
            await asyncio.to_thread(writer.close)

    def _concurrency(self) -> int:
        return max(self._settings.concurrency, self._workers)

    def _tasks(self) -> list[Task]:
        rows = enumerate(self._rows)
        tasks: list[Task] = [
            (_subject(row, place), self._scorers) for place, row in rows if self._scorers and not self._failed(place)
        ]
        for session_id, places in self._sessions().items():
            subject = _session_subject(session_id, [self._rows[place] for place in places])
            self._places[session_id] = places[0]
            tasks.append((subject, self._session_scorers))
        return tasks

    def _failed(self, place: int) -> bool:
        done = self._done[place]
        return done is not None and bool(done.error)

    def _sessions(self) -> dict[str, list[int]]:
        """The rows of each conversation; a row without one is a conversation by itself."""
        found: dict[str, list[int]] = {}
        if self._session_scorers:
            for place, row in enumerate(self._rows):
                if not self._failed(place):
                    found.setdefault(row.session_id or row.trace_id, []).append(place)
        return found

    def _take(self, writer: LedgerWriter, scored: Scored) -> None:
        subject = scored.subject
        place = self._places[subject.subject_id] if subject.kind == "session" else int(subject.tags[_PLACE])
        clean = replace(scored, subject=replace(subject, tags={}))
        for score, ids in writer.add(clean):
            self._scored.setdefault(place, []).extend(row_scores(score, ids))
            self._summary.add_score(score)
        self._progress.update()

    def _row(self, place: int) -> RunRow:
        row, done = self._rows[place], self._done[place]
        return RunRow(
            position=place,
            trace_id=row.trace_id,
            session_id=row.session_id,
            record_id=row.record_id,
            inputs=row.inputs,
            outputs=row.outputs,
            expectations=row.expectations,
            expected_by={**row.expected_by, **({"conflicts": list(row.conflicts)} if row.conflicts else {})},
            tags=row.tags,
            error=done.error if done else "",
            duration_ms=done.duration_ms if done else 0.0,
            scores=self._scored.get(place, []),
        )


_PLACE: Final = "position"


def _subject(row: DataRow, place: int) -> Subject:
    return Subject(
        "trace", row.trace_id, row.inputs, row.outputs, row.expectations, row.trace, (), row.session_id or None,
        {_PLACE: str(place)},
    )  # fmt: skip


def _session_subject(session_id: str, rows: Sequence[DataRow]) -> Subject:
    traces: list[Trace] = sorted((row.trace for row in rows if row.trace), key=lambda trace: trace.info.request_time)
    return Subject(
        "session", session_id, [row.inputs for row in rows], [row.outputs for row in rows], _agreed(rows), None, traces
    )


def _agreed(rows: Sequence[DataRow]) -> dict[str, Any]:
    """What is expected of a conversation: what its rows say, but where they say different things of the same name."""
    said: dict[str, dict[str, Any]] = {}
    for row in rows:
        for name, value in row.expectations.items():
            said.setdefault(name, {})[canonical_json(plain_json(value))] = value
    return {name: value for name, values in said.items() if len(values) == 1 for value in values.values()}
