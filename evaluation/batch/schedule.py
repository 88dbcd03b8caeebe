"""Running a batch again and again, on a schedule."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from hansei.evaluation.batch.config import BatchConfig
from hansei.evaluation.batch.cron import next_tick
from hansei.evaluation.batch.lease import HeldElsewhere
from hansei.evaluation.batch.result import BatchResult
from hansei.evaluation.batch.runner import run_if
from hansei.evaluation.batch.watermark import read_record, write_record
from hansei.evaluation.client import EvaluationClient
from hansei.evaluation.errors import EvaluationError, InvalidEvaluation
from hansei.feedback.search.errors import SearchError

_AGAIN: Final = 30.0
"""Seconds after which a run that could not be begun is tried again."""
_LONGEST_SLEEP: Final = 60.0
"""Seconds for which a clock that is set is not noticed."""

log: Final = logging.getLogger("hansei.evaluation")


@dataclass(frozen=True)
class Schedule:
    """A batch and when it runs. Of any number of these, on any machines, one runs each tick."""

    config: BatchConfig
    cron: str
    shard: str | None = None
    journal: str | Path | None = None
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000

    @property
    def name(self) -> str:
        """Of the batch, or of its shard."""
        return self.config.name if self.shard is None else f"{self.config.name}#{self.shard}"

    def run(self, stop: threading.Event, on_result: Callable[[BatchResult], None]) -> None:
        """Run at each tick until ``stop`` is set; a run that is under way then finishes what it has begun.

        A tick that was missed is made up for once, however many there were. Raises ``InvalidEvaluation``.
        """
        client = EvaluationClient()
        while not stop.is_set():
            try:
                tick = self._due(client)
                if tick > self.now_ms():
                    stop.wait(min((tick - self.now_ms()) / 1000, _LONGEST_SLEEP))
                    continue
                result = run_if(
                    self.config, partial(self._claimed, client, tick), shard=self.shard, journal=self.journal, stop=stop
                )
                if result is not None:
                    on_result(result)
            except HeldElsewhere as error:
                log.info("%s waits: %s", self.name, error)
                stop.wait(_AGAIN)
            except InvalidEvaluation:
                raise
            except (EvaluationError, SearchError) as error:
                log.warning("%s could not run: %s", self.name, error)
                stop.wait(_AGAIN)

    def _due(self, client: EvaluationClient) -> int:
        """When it runs next: as was told at the last run, unless the schedule has changed since."""
        record = read_record(client, self.name)
        if record is not None and record.next_run_ms is not None and record.schedule == self.cron:
            return record.next_run_ms
        tick = next_tick(self.cron, self.now_ms())
        write_record(client, self.name, schedule=self.cron, next_run_ms=tick)
        return tick

    def _claimed(self, client: EvaluationClient, tick: int) -> bool:
        """Whether this one has the tick: asked while the lease is held, so that no other has it too."""
        record = read_record(client, self.name)
        if record is not None and record.next_run_ms is not None and record.next_run_ms > tick:
            return False
        write_record(client, self.name, schedule=self.cron, next_run_ms=next_tick(self.cron, self.now_ms()))
        return True
