"""Asking by OpenAI's Batch API: questions gather, go out as one file, and are answered in a day for half the price."""

import asyncio
import hashlib
import json
import tempfile
import uuid
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

from hansei.evaluation.judges.batch_job import ENDPOINT, BatchJob, NotNow, Outcome, Pauses
from hansei.evaluation.judges.batch_memory import BatchMemory, Remembered
from hansei.evaluation.judges.limits import Rate
from hansei.evaluation.judges.model_client import ModelClients
from hansei.evaluation.judges.question import JudgeModel
from hansei.evaluation.judges.settings import JudgeSettings

MOST_REQUESTS: Final = 50_000
MOST_BYTES: Final = 200_000_000
"""Of a file: the API's limits."""
_QUIET: Final = 5.0
"""Seconds without a further question after which those that have gathered go out."""


class BatchClients:
    """Asks as :class:`~hansei.evaluation.judges.model_client.ModelClients` does, by batches. For one event loop.

    A judge of several rounds makes several batches. Where a path is given, what is under way is remembered there, and
    a process that asks the same again waits for the batch that it is in.
    """

    def __init__(
        self,
        settings: JudgeSettings,
        path: Path | None = None,
        *,
        quiet: float = _QUIET,
        pauses: Pauses | None = None,
        most_requests: int = MOST_REQUESTS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._settings = settings
        self._clients = ModelClients(settings, Rate(None))
        self._memory = BatchMemory(path)
        self._quiet, self._pauses = quiet, pauses or Pauses()
        self._most = most_requests, most_bytes
        self._gathering: dict[_Place, _Gathering] = {}
        self._jobs: list[BatchJob] = []
        self._resumed: set[str | None] = set()
        """Addresses whose batches of an earlier process are among the jobs."""
        self._asked: Counter[str] = Counter()
        """How often each request was made: every time it has another ``custom_id``, the same as in another process."""

    async def ask(self, model: JudgeModel, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a chat completion. Raises :class:`~hansei.evaluation.errors.JudgeError`."""
        # Without a key or an openai it fails here, where somebody hears it.
        self._clients.client(model)
        request = json.dumps(body, sort_keys=True)
        digest = hashlib.sha256(f"{model.base_url} {request}".encode()).hexdigest()[:40]
        attempt = 0
        while True:
            custom_id = f"{digest}-{self._asked[digest]}"
            self._asked[digest] += 1
            job, outcome = await self._outcome(model, custom_id, request)
            job.untaken.discard(custom_id)
            try:
                return outcome.taken()
            except NotNow:
                if attempt >= self._settings.retries:
                    raise
            attempt += 1

    async def close(self, *, done: bool = False) -> None:
        """Stop waiting; see :meth:`~hansei.evaluation.judges.batch_job.BatchJob.close`. ``done``: every answer is kept
        elsewhere, and what a later process would have come for is forgotten."""
        for gathering in self._gathering.values():
            gathering.close()
        self._gathering.clear()
        for job in self._jobs:
            await job.close(done=done)
        if done:
            self._memory.clear()
        await self._clients.close()

    async def _outcome(self, model: JudgeModel, custom_id: str, request: str) -> tuple[BatchJob, Outcome]:
        job = self._job_with(model, custom_id)
        if job is None:
            job = await self._gathered(model, custom_id, request)
        # A question that is given up takes none of the others with it.
        return job, await asyncio.shield(job.outcomes[custom_id])

    def _job_with(self, model: JudgeModel, custom_id: str) -> BatchJob | None:
        """The batch of an earlier process that a request is in."""
        if model.base_url not in self._resumed:
            self._resumed.add(model.base_url)
            left = [each for each in self._memory.batches.values() if each.base_url == model.base_url and each.file_id]
            self._jobs += [self._job(model, batch) for batch in left]
        for job in self._jobs:
            if custom_id in job.untaken:
                job.start()
                return job
        return None

    def _job(self, model: JudgeModel, batch: Remembered) -> BatchJob:
        return BatchJob(self._clients.client(model), self._memory, batch, self._pauses)

    async def _gathered(self, model: JudgeModel, custom_id: str, request: str) -> BatchJob:
        """Wait until a batch with this request goes out."""
        line = f'{{"custom_id":"{custom_id}","method":"POST","url":"{ENDPOINT}","body":{request}}}\n'.encode()
        place = model.base_url, model.api_key, model.name
        gathering = self._gathering.get(place)
        if gathering is not None and gathering.size + len(line) > self._most[1]:
            self._send(place)
            gathering = None
        if gathering is None:
            gathering = self._gathering[place] = _Gathering(model)
        gathering.add(custom_id, line)
        if len(gathering.ids) >= self._most[0]:
            self._send(place)
        else:
            gathering.wait(self._quiet, lambda: self._send(place))
        return await asyncio.shield(gathering.sent)

    def _send(self, place: "_Place") -> None:
        gathering = self._gathering.pop(place)
        gathering.stop()
        model = gathering.model
        job = self._job(model, Remembered(uuid.uuid4().hex, model.base_url, model.name, "", gathering.ids))
        self._jobs.append(job)
        job.start(gathering.lines)
        gathering.sent.set_result(job)


_Place = tuple[str | None, str | None, str]
"""An address, a key and a model: a batch is to one."""


class _Gathering:
    """Requests that wait for others to one model."""

    def __init__(self, model: JudgeModel) -> None:
        self.model = model
        self.ids: list[str] = []
        self.lines: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115, who sends them closes it
        self.size = 0
        self._loop = asyncio.get_running_loop()
        self.sent: asyncio.Future[BatchJob] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, custom_id: str, line: bytes) -> None:
        self.ids.append(custom_id)
        self.lines.write(line)
        self.size += len(line)

    def wait(self, seconds: float, send: Any) -> None:
        """Send after so many seconds from now."""
        self.stop()
        self._timer = self._loop.call_later(seconds, send)

    def stop(self) -> None:
        """Stop the clock."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close(self) -> None:
        """They are not asked."""
        self.stop()
        self.lines.close()
        self.sent.cancel()
