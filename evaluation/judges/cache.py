"""What models answered, remembered at the hansei: the same request need not be paid again."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

from hansei.evaluation.client import EvaluationClient
from hansei.evaluation.errors import EvaluationError

_GATHER: Final = 0.005
"""Seconds for which look-ups gather."""
_AT_ONCE: Final = 500
_WRITE_SECONDS: Final = 1.0


class ResponseCache:
    """Answers by the hash of the request. Look-ups that come together are one. For one event loop."""

    def __init__(self, client: EvaluationClient | None = None) -> None:
        self._client = client or EvaluationClient()
        self._asked: dict[str, asyncio.Future[Any]] = {}
        self._written: list[dict[str, Any]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._writing = False

    async def get(self, key: str) -> Any:
        """What was answered; None where nothing is remembered. Raises ``EvaluationError``."""
        if key not in self._asked:
            self._asked[key] = asyncio.get_running_loop().create_future()
            if len(self._asked) == 1:
                self._start(self._look_up())
        return await self._asked[key]

    def put(
        self, key: str, model: str, response: Mapping[str, Any], read: int, written: int, cost_usd: float | None
    ) -> None:
        """Remember an answer."""
        self._written.append(
            {"request_hash": key, "model": model, "response": response, "input_tokens": read,
             "output_tokens": written, "cost_usd": cost_usd}
        )  # fmt: skip
        if not self._writing:
            self._writing = True
            self._start(self._write_soon())

    async def close(self) -> None:
        """Write what is left. Raises ``EvaluationError``."""
        await self._write()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look_up(self) -> None:
        await asyncio.sleep(_GATHER)
        asked, self._asked = self._asked, {}
        keys = list(asked)
        try:
            for start in range(0, len(keys), _AT_ONCE):
                piece = keys[start : start + _AT_ONCE]
                found = await asyncio.to_thread(self._client.ask, "POST", "judge-responses:find", body={"keys": piece})
                for key in piece:
                    _resolve(asked[key], found["responses"].get(key))
        except EvaluationError as error:
            for future in asked.values():
                if not future.done():
                    future.set_exception(error)

    async def _write_soon(self) -> None:
        await asyncio.sleep(_WRITE_SECONDS)
        self._writing = False
        await self._write()

    async def _write(self) -> None:
        rows, self._written = self._written, []
        for start in range(0, len(rows), _AT_ONCE):
            body = {"responses": rows[start : start + _AT_ONCE]}
            await asyncio.to_thread(self._client.ask, "POST", "judge-responses", body=body)


def _resolve(future: "asyncio.Future[Any]", text: str | None) -> None:
    if not future.done():
        future.set_result(None if text is None else json.loads(text))
