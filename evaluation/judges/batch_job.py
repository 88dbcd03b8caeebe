"""One batch at OpenAI's Batch API: sent, waited for, read."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar

from hansei.evaluation.errors import JudgeError
from hansei.evaluation.judges.batch_memory import BatchMemory, Remembered
from hansei.evaluation.judges.model_client import PASSING, Refusal

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types import Batch

T = TypeVar("T")
log: Final = logging.getLogger("hansei.evaluation")

ENDPOINT: Final = "/v1/chat/completions"
TOKEN: Final = "hansei_batch"
"""In the metadata of a batch."""
_ENDED: Final = ("completed", "failed", "expired", "cancelled")
_MISSES: Final = 30
"""Looks in a row that may fail before a batch is given up."""
_GROWTH: Final = 1.5
_LISTED: Final = 100
"""Batches, the newest first, among which one is looked for whose creation was not answered."""


class NotNow(JudgeError):
    """A request of a batch that may succeed in another one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: a response, or why there is none."""

    response: dict[str, Any] | None = None
    error: JudgeError | None = None

    def taken(self) -> dict[str, Any]:
        """The response. Raises :class:`JudgeError`."""
        if self.error is not None:
            raise self.error
        assert self.response is not None
        return self.response


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds between two looks at a batch: the first, and the longest that it grows to."""

    first: float = 5.0
    longest: float = 60.0


class BatchJob:
    """A batch and the futures of its requests."""

    def __init__(self, client: "AsyncOpenAI", memory: BatchMemory, batch: Remembered, pauses: Pauses) -> None:
        """``client`` makes no further attempts of its own. For one event loop."""
        self.batch = batch
        self.outcomes: dict[str, asyncio.Future[Outcome]] = {
            each: asyncio.get_running_loop().create_future() for each in batch.ids
        }
        self.untaken = set(batch.ids)
        """Whose outcome nobody has used yet."""
        self._client = client
        self._memory = memory
        self._pauses = pauses
        # An earlier process may have created it and not been told.
        self._tried = bool(batch.file_id)
        self._task: asyncio.Task[None] | None = None

    def start(self, requests: IO[bytes] | None = None) -> None:
        """Send the requests, or go on with a batch that was sent; once."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(requests))

    async def close(self, *, done: bool = False) -> None:
        """Stop waiting. A batch whose outcomes are all used, or no longer needed where all is ``done``, is forgotten,
        with its files; another is cancelled where no later process could come for it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if done or not self.untaken:
            await self._tidy()
            self._memory.forget(self.batch)
        elif not self._memory.lasts and self.batch.batch_id is not None:
            await self._quietly(self._client.batches.cancel(self.batch.batch_id))

    async def _run(self, requests: IO[bytes] | None) -> None:
        try:
            if requests is not None:
                with requests:
                    self.batch.file_id = await self._insist(lambda: self._upload(requests))
                self._memory.sending(self.batch)
            if self.batch.batch_id is None:
                self._memory.created(self.batch, await self._insist(self._create))
            ended = await self._ended()
            for file_id in (ended.output_file_id, ended.error_file_id):
                if file_id:
                    await self._insist(lambda file_id=file_id: self._read(file_id))  # type: ignore[misc]
            self._settle(_why(ended))
        except JudgeError as error:
            self._settle(error)
        except Exception as error:
            self._settle(JudgeError(f"the batch of {self.batch.model} failed: {_told(error)}"))

    async def _insist(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it, again after what passes: a batch that may have cost money is not given up for a moment's trouble."""
        import openai

        pause, misses = self._pauses.first, 0
        while True:
            try:
                return await work()
            except openai.APIStatusError as error:
                if error.status_code not in PASSING and error.status_code < 500:
                    raise
                reason = _told(error)
            except openai.APIConnectionError as error:
                reason = _told(error)
            misses += 1
            if misses >= _MISSES:
                raise JudgeError(f"the batch of {self.batch.model} cannot be asked for: {reason}")
            await asyncio.sleep(pause)
            pause = min(pause * _GROWTH, self._pauses.longest)

    async def _upload(self, requests: IO[bytes]) -> str:
        import openai

        requests.seek(0)
        try:
            return (await self._client.files.create(file=("hansei.jsonl", requests), purpose="batch")).id
        except openai.NotFoundError as error:
            raise JudgeError(f"{self._client.base_url} has no Batch API; leave batch_api out") from error

    async def _create(self) -> str:
        """The id of the batch: created, if an attempt that was not answered has not done it."""
        if self._tried:
            listed = await self._client.batches.list(limit=_LISTED)
            for each in listed.data:
                if (each.metadata or {}).get(TOKEN) == self.batch.token:
                    return each.id
        self._tried = True
        created = await self._client.batches.create(
            input_file_id=self.batch.file_id,
            endpoint=ENDPOINT,
            completion_window="24h",
            metadata={TOKEN: self.batch.token},
        )
        log.info("batch %s: %d questions to %s", created.id, len(self.batch.ids), self.batch.model)
        return created.id

    async def _ended(self) -> "Batch":
        """The batch, once it has come to its end."""
        assert self.batch.batch_id is not None
        batch_id, pause = self.batch.batch_id, self._pauses.first
        while True:
            found = await self._insist(lambda: self._client.batches.retrieve(batch_id))
            if found.status in _ENDED:
                return found
            await asyncio.sleep(pause)
            pause = min(pause * _GROWTH, self._pauses.longest)

    async def _read(self, file_id: str) -> None:
        content = (await self._client.files.content(file_id)).content
        for text in content.split(b"\n"):
            if text.strip():
                line = json.loads(text)
                self._resolve(line.get("custom_id", ""), _outcome(self.batch.model, line))

    def _resolve(self, custom_id: str, outcome: Outcome) -> None:
        future = self.outcomes.get(custom_id)
        if future is not None and not future.done():
            future.set_result(outcome)

    def _settle(self, error: JudgeError) -> None:
        """Whatever has no outcome by now has this one."""
        for future in self.outcomes.values():
            if not future.done():
                # Each its own: what is raised thousands of times holds thousands of tracebacks.
                future.set_result(Outcome(error=JudgeError(str(error))))

    async def _tidy(self) -> None:
        """End what is under way, and remove the files at the API; they would be kept for a month."""
        files: list[str | None] = [self.batch.file_id]
        if self.batch.batch_id is not None:
            found: Batch | None = await self._quietly(self._client.batches.retrieve(self.batch.batch_id))
            if found is not None and found.status not in _ENDED:
                found = await self._quietly(self._client.batches.cancel(self.batch.batch_id))
            files += [found.output_file_id, found.error_file_id] if found else []
        for file_id in files:
            if file_id:
                await self._quietly(self._client.files.delete(file_id))

    async def _quietly(self, work: Any) -> Any:
        import openai

        try:
            return await work
        except openai.OpenAIError as error:
            log.info("the batch of %s is not tidied up: %s", self.batch.model, _told(error))
            return None


def _outcome(model: str, line: Mapping[str, Any]) -> Outcome:
    response, error = line.get("response") or {}, line.get("error") or {}
    status, body = response.get("status_code"), response.get("body")
    if status == 200 and isinstance(body, dict):
        return Outcome(body)
    if status is None:
        return Outcome(error=JudgeError(f"{model} was not asked: {error.get('message') or error.get('code')}"))
    told = body.get("error") if isinstance(body, Mapping) else None
    message = str(told.get("message") if isinstance(told, Mapping) else body or error.get("message"))[:300]
    if status in PASSING or status >= 500:
        return Outcome(error=NotNow(f"{model} cannot be asked: {status} {message}"))
    return Outcome(error=Refusal(status, message))


def _why(ended: "Batch") -> JudgeError:
    """Why a request of a batch that has ended has no outcome."""
    if ended.status == "failed":
        errors = ended.errors.data if ended.errors and ended.errors.data else []
        told = "; ".join(dict.fromkeys(str(each.message) for each in errors))[:300] or "the API does not say why"
        hint = "; give a smaller concurrency" if any(each.code == "token_limit_exceeded" for each in errors) else ""
        return JudgeError(f"the batch {ended.id} failed: {told}{hint}")
    if ended.status == "expired":
        return JudgeError(f"the batch {ended.id} was not answered within a day")
    return JudgeError(f"the batch {ended.id} is {ended.status} without an answer to this")


def _told(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
