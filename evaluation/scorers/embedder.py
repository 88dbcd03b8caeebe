"""Embeddings of texts, many in one request."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.instrumentation.utils import suppress_instrumentation

from hansei.evaluation.errors import EvaluationError, JudgeError
from hansei.evaluation.judges.question import JudgeModel
from hansei.evaluation.judges.settings import JudgeSettings

if TYPE_CHECKING:
    from openai import AsyncOpenAI

Vector = Any
"""An array of numpy."""
Waiting = tuple[str, "asyncio.Future[Vector]"]

_MOST_TEXTS: Final = 128
"""Of one request; OpenAI takes 2048, and 300 000 tokens."""
_MOST_REQUESTS: Final = 8
"""Under way at a time."""
_IDLE_SECONDS: Final = 2.0
"""After this long without a text the connections are closed."""
_REFUSED: Final = (400, 413, 422)
"""A text is to blame, and not the time or the key."""


class Embedder:
    """Asks for the embeddings of one model, in one event loop.

    While requests are under way further texts wait, and go together in the next one. A request is tried again as the
    OpenAI client does, which waits as long as ``Retry-After`` says.
    """

    def __init__(self, model: JudgeModel) -> None:
        self._model = model
        self._waiting: list[Waiting] = []
        self._requests: set[asyncio.Task[None]] = set()
        self._client: AsyncOpenAI | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._used = False

    async def vectors(self, texts: Sequence[str]) -> list[Vector]:
        """The embeddings of texts that are not empty. Raises ``JudgeError``; ``EvaluationError`` without a key."""
        loop = asyncio.get_running_loop()
        asked: list[Waiting] = [(text, loop.create_future()) for text in texts]
        self._waiting += asked
        # Not at once: what others ask in this turn of the loop comes along.
        loop.call_soon(self._start)
        found = await asyncio.gather(*(future for _, future in asked), return_exceptions=True)
        for each in found:
            if isinstance(each, BaseException):
                raise each
        return found

    def _start(self) -> None:
        try:
            while self._waiting and len(self._requests) < _MOST_REQUESTS:
                client = self._open()
                batch, self._waiting = self._waiting[:_MOST_TEXTS], self._waiting[_MOST_TEXTS:]
                task = asyncio.get_running_loop().create_task(self._ask(client, batch))
                self._requests.add(task)
                task.add_done_callback(self._done)
        except EvaluationError as error:
            waiting, self._waiting = self._waiting, []
            _fail(waiting, error)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._requests.discard(task)
        if not task.cancelled():
            self._start()

    def _open(self) -> "AsyncOpenAI":
        import openai

        self._used = True
        if self._client is None:
            settings = JudgeSettings()
            try:
                self._client = openai.AsyncOpenAI(
                    base_url=self._model.base_url, api_key=self._model.api_key,
                    max_retries=settings.retries, timeout=settings.timeout,
                )  # fmt: skip
            except openai.OpenAIError:
                raise EvaluationError(
                    f"{self._model.name} cannot be asked without a key; set OPENAI_API_KEY (any text, where the server "
                    "at OPENAI_BASE_URL asks for none)"
                ) from None
            self._keeper = asyncio.get_running_loop().create_task(self._keep(self._client))
        return self._client

    async def _keep(self, client: "AsyncOpenAI") -> None:
        """Close the connections when nothing was asked for a while, or when the loop ends, which cancels this."""
        try:
            while self._used or self._requests:
                self._used = False
                await asyncio.sleep(_IDLE_SECONDS)
        finally:
            self._client = self._keeper = None
            await client.close()

    async def _ask(self, client: "AsyncOpenAI", batch: Sequence[Waiting]) -> None:
        import numpy
        import openai

        texts = list(dict.fromkeys(text for text, _ in batch))
        try:
            # A span of it would be a trace among those that are scored.
            with suppress_instrumentation():
                answer = await client.embeddings.create(model=self._model.name, input=texts, **self._model.parameters)
            vectors = [numpy.asarray(each.embedding, dtype=float) for each in answer.data]
            by_text = dict(zip(texts, vectors, strict=True))
        except asyncio.CancelledError:
            for _, future in batch:
                future.cancel()
            raise
        except openai.APIStatusError as error:
            if error.status_code in _REFUSED and len(texts) > 1:
                half = len(texts) // 2
                for some in (set(texts[:half]), set(texts[half:])):
                    await self._ask(client, [each for each in batch if each[0] in some])
            else:
                _fail(batch, JudgeError(f"{self._model.name}: {error.status_code} {_message(error)}"))
        except openai.OpenAIError as error:
            _fail(batch, JudgeError(f"{self._model.name}: no answer ({error})"))
        except (AttributeError, TypeError, ValueError):
            _fail(batch, JudgeError(f"{self._model.name}: the server answers no embeddings; check OPENAI_BASE_URL"))
        else:
            for text, future in batch:
                if not future.done():
                    future.set_result(by_text[text])


def _fail(waiting: Sequence[Waiting], error: Exception) -> None:
    for _, future in waiting:
        if not future.done():
            future.set_exception(error)


def _message(error: Any) -> str:
    body = error.body
    told = body.get("message") if isinstance(body, Mapping) else None
    return str(told or error)[:300]
