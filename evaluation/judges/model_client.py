"""One request to an OpenAI-compatible API: attempts, and how long to wait between them."""

import asyncio
import json
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.instrumentation.utils import suppress_instrumentation

from hansei.evaluation.errors import EvaluationError, JudgeError
from hansei.evaluation.judges.limits import Rate
from hansei.evaluation.judges.question import JudgeModel
from hansei.evaluation.judges.settings import JudgeSettings

if TYPE_CHECKING:
    from openai import AsyncOpenAI

PASSING: Final = (408, 409, 429)
"""Statuses after which the same request may be answered, beside 5xx."""
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 60.0
"""Seconds."""
_FORMAT_WORDS: Final = ("response_format", "json_schema", "json_object", "schema", "structured")


class Refusal(JudgeError):
    """The server does not take the request."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.is_about_format = status != 401 and any(word in message.lower() for word in _FORMAT_WORDS)


class ModelClients:
    """A client for each address, with our own attempts instead of the client's."""

    def __init__(self, settings: JudgeSettings, rate: Rate) -> None:
        self._settings = settings
        self._rate = rate
        self._clients: dict[tuple[str | None, str | None], AsyncOpenAI] = {}

    async def ask(self, model: JudgeModel, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a chat completion. Raises :class:`JudgeError`, of which :class:`Refusal` is for good."""
        import openai

        client = self.client(model)
        attempt = 0
        while True:
            await self._rate.take()
            try:
                # Its span is ours; the client's instrumentation would make a second one.
                with suppress_instrumentation():
                    # Not by chat.completions: its walk through the request and the objects that it makes of the answer
                    # take a quarter of a call's time.
                    found = await client.post("/chat/completions", body=dict(body), cast_to=object)
                if not isinstance(found, dict):
                    raise JudgeError(f"{model.name}: the server answers no completion; check OPENAI_BASE_URL")
                return found
            except openai.APIStatusError as error:
                status, told = error.status_code, _pause_told(error.response.headers)
                if status not in PASSING and status < 500:
                    raise Refusal(status, _message(error)) from error
                why = f"{status} {_message(error)}"
            except openai.APIConnectionError as error:
                told, why = None, f"no answer ({error})"
            except json.JSONDecodeError as error:
                raise JudgeError(f"{model.name}: the server answers no JSON; check OPENAI_BASE_URL") from error
            if attempt >= self._settings.retries:
                raise JudgeError(f"{model.name} cannot be asked, {attempt + 1} times: {why}")
            pause = min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE) * random.uniform(0.75, 1.0) if told is None else told
            if told is not None:
                self._rate.hold(told)
            attempt += 1
            await asyncio.sleep(pause)

    def client(self, model: JudgeModel) -> "AsyncOpenAI":
        """The client of a model. Raises ``EvaluationError`` where there is no openai, or no key."""
        place = model.base_url, model.api_key
        if place not in self._clients:
            try:
                import openai
            except ImportError as error:
                raise EvaluationError("judging needs openai: pip install 'hansei[evaluation]'") from error
            try:
                self._clients[place] = openai.AsyncOpenAI(
                    base_url=model.base_url, api_key=model.api_key, max_retries=0, timeout=self._settings.timeout
                )
            except openai.OpenAIError as error:
                raise EvaluationError(
                    f"{model.name} cannot be asked without a key; set OPENAI_API_KEY (any text, where the server at "
                    "OPENAI_BASE_URL asks for none)"
                ) from error
        return self._clients[place]

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            await client.close()


def _message(error: Any) -> str:
    body = getattr(error, "body", None)
    text = body.get("message") if isinstance(body, Mapping) else None
    return str(text or error)[:300]


def _pause_told(headers: Mapping[str, str]) -> float | None:
    """Seconds, as ``retry-after-ms`` or ``Retry-After`` tell."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        if 0 <= seconds <= 3600:
            return seconds
    return None
