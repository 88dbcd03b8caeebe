"""The scoring of a run: work in, scores out to the ledger, and what they come to."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from hansei.evaluation.batch.funnel import Funnel
from hansei.evaluation.batch.judging import BatchAsker
from hansei.evaluation.batch.stored import Unseen
from hansei.evaluation.batch.tally import Tally
from hansei.evaluation.batch.work import Piece, WorkPlan
from hansei.evaluation.client import EvaluationClient
from hansei.evaluation.ledger_writer import LedgerWriter
from hansei.evaluation.runs.progress import Progress
from hansei.evaluation.runs.run import Run
from hansei.evaluation.scorer import Scorer
from hansei.evaluation.scoring import Scored, Task, score_subjects
from hansei.feedback.search.connection import connections

_MOST_WAITING: Final = 20_000
"""Events that may wait to be written before scoring waits for them."""
_TELL_EVERY: Final = 5.0
"""Seconds between two updates of the funnel at the server."""


class RunScoring:
    """Scores what a run has to do, once."""

    def __init__(
        self,
        client: EvaluationClient,
        run: Run,
        plan: WorkPlan,
        scorers: Sequence[Scorer],
        asking: BatchAsker,
        stop: threading.Event,
        progress: Progress,
    ) -> None:
        """Once ``stop`` is set no more is begun."""
        self._client = client
        self._run = run
        self._plan = plan
        self._asking = asking
        self._stop = stop
        self._progress = progress
        self.funnel = Funnel(scorers)
        self._tally = Tally()
        self._unseen = Unseen(connections.query, run.run_id)
        self.cost_usd: float | None = None
        """What judging took; None where no price is known."""
        self.complete = False
        """Whether all work was begun."""
        self.spent = False
        """Whether the budget ended it."""
        self._told_at = time.monotonic()
        self.earliest_failure: int | None = None
        """When the first subject ended that has a failed score (ms)."""

    async def work(self) -> None:
        """Score everything, and have it stored."""
        writer = await asyncio.to_thread(LedgerWriter, self._run.run_id, self._client)
        with self._progress:
            async with self._asking as asker:
                try:
                    async for scored in score_subjects(self._tasks(), asker.asker, concurrency=asker.concurrency):
                        await self._take(writer, scored)
                finally:
                    await asyncio.to_thread(writer.close)
                if await asyncio.to_thread(self._unseen.wait):
                    asker.forget()
        self.funnel.close()

    def metrics(self) -> tuple[Mapping[str, float], Mapping[str, Sequence[float]]]:
        """What was said, here and before, of the subjects of the run: metrics and their intervals."""
        return self._tally.metrics()

    async def _tasks(self) -> AsyncIterator[Task]:
        """Tasks as they are read."""
        loop = asyncio.get_running_loop()
        pieces = self._plan.pieces()
        with ThreadPoolExecutor(1, thread_name_prefix="hansei-batch-reader") as reader:
            coming = loop.run_in_executor(reader, next, pieces, None)
            try:
                while (piece := await coming) is not None:
                    coming = loop.run_in_executor(reader, next, pieces, None)
                    count_piece(self.funnel, self._tally, piece)
                    for task in piece.tasks:
                        if self._stop.is_set():
                            return
                        yield task
                self.complete = True
            finally:
                await asyncio.wait({coming})
                pieces.close()

    async def _take(self, writer: LedgerWriter, scored: Scored) -> None:
        writer.add(scored)
        self.funnel.add(scored.scores)
        self._tally.add(scored)
        self._unseen.add(scored)
        for score in scored.scores:
            self.spent = self.spent or score.unasked
            if score.cost_usd is not None:
                self.cost_usd = (self.cost_usd or 0.0) + score.cost_usd
            if score.error:
                ended = int(scored.subject.revision.rpartition("-")[2]) // 1_000_000
                self.earliest_failure = min(ended, self.earliest_failure or ended)
        self._progress.update()
        while writer.waiting > _MOST_WAITING:
            await asyncio.sleep(0.01)
        if time.monotonic() > self._told_at + _TELL_EVERY:
            self._told_at = time.monotonic()
            await asyncio.to_thread(self._run.update, funnel=self.funnel.to_json())


def count_piece(funnel: Funnel, tally: Tally | None, piece: Piece) -> None:
    """Take what is known with a piece of work before it is scored."""
    funnel.select(drawn=piece.drawn, not_drawn=piece.not_drawn, again=piece.again)
    for work in piece.kept:
        for kept in work.kept:
            funnel.keep(kept.scorer)
        if tally is not None:
            tally.keep(work.kept, work.chosen.weight, work.chosen.session_id)
