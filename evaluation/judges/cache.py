"""What models answered, remembered at the hansei: the same request need not be paid again.

A hansei that is away is no reason not to judge: then nothing is remembered, which is logged once.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from hansei.evaluation.client import EvaluationClient
from hansei.evaluation.errors import EvaluationError

log: Final = logging.getLogger("hansei.evaluation")

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
        self._told = False

    async def get(self, key: str) -> Any:
        """What was answered; None where nothing is remembered."""
        if key not in self._asked:
            self._asked[key] = asyncio.get_running_loop().create_future()
            if len(self._asked) == 1:
                self._start(self._look_up())
        # Several may wait for the same; that one of them is cancelled is nothing to the others.
        return await asyncio.shield(self._asked[key])

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
        """Write what is left."""
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
        except Exception as error:
            self._tell(error)
        finally:
            for future in asked.values():
                _resolve(future, None)

    async def _write_soon(self) -> None:
        await asyncio.sleep(_WRITE_SECONDS)
        self._writing = False
        await self._write()

    async def _write(self) -> None:
        rows, self._written = self._written, []
        for start in range(0, len(rows), _AT_ONCE):
            body = {"responses": rows[start : start + _AT_ONCE]}
            try:
                await asyncio.to_thread(self._client.ask, "POST", "judge-responses", body=body)
            except EvaluationError as error:
                self._tell(error)

    def _tell(self, error: Exception) -> None:
        if not self._told:
            self._told = True
            log.warning("answers of judges are not remembered: %s", error)


def _resolve(future: "asyncio.Future[Any]", text: str | None) -> None:
    if not future.done():
        future.set_result(None if text is None else json.loads(text))
