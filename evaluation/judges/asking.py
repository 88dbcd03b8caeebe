"""Asking models, within limits and a budget; answers are read, repaired once, and remembered."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final

from opentelemetry.trace import Span

from hansei.evaluation.errors import JudgeError
from hansei.evaluation.judges.answer_format import FORMATS, UnusableAnswer, instructed, parsed, response_format
from hansei.evaluation.judges.batch_api import BatchClients
from hansei.evaluation.judges.budget import Budget
from hansei.evaluation.judges.cache import ResponseCache
from hansei.evaluation.judges.journal import Journal
from hansei.evaluation.judges.limits import Rate
from hansei.evaluation.judges.model_client import ModelClients, Refusal
from hansei.evaluation.judges.prices import Prices
from hansei.evaluation.judges.question import Message, Question, Verdict
from hansei.evaluation.judges.settings import JudgeSettings
from hansei.evaluation.judges.spans import JudgeSpans

log: Final = logging.getLogger("hansei.evaluation")

_TOKENS_OF_ANSWER: Final = 300
_CHARACTERS_PER_TOKEN: Final = 4
"""Of an estimate, which the answer's numbers correct."""
_FORMAT_REFUSED: Final = (400, 404, 422)
_BATCHED_PART: Final = 0.5
"""Of the price, which OpenAI's Batch API takes."""
Response = Mapping[str, Any]


class ModelAsker:
    """Asks models of OpenAI-compatible APIs. For one event loop; use it in ``async with``."""

    def __init__(
        self,
        settings: JudgeSettings | None = None,
        *,
        run_id: str = "",
        journal: Journal | None = None,
        spans: bool = True,
    ) -> None:
        """``journal``: where answers are kept for a process that comes after this one. ``spans``: whether each request
        is a span at the hansei of ``HANSEI_URL``. Raises ``EvaluationError``."""
        self.settings = settings or JudgeSettings()
        self._journal = journal
        batched = self.settings.batch_api
        self._prices = Prices(self.settings.prices, part=_BATCHED_PART if batched else 1.0)
        self._budget = Budget(self.settings, self._prices)
        self._tokens = Rate(None if batched else self.settings.tokens_per_minute)
        self._slots = asyncio.Semaphore(self.settings.concurrency)
        self._clients = (
            BatchClients(self.settings, None if journal is None else journal.path.with_suffix(".batches"))
            if batched
            else ModelClients(self.settings, Rate(self.settings.requests_per_minute))
        )
        self._cache = ResponseCache() if self.settings.cache else None
        self._spans = JudgeSpans(run_id) if spans else None
        self._formats: dict[tuple[str | None, str], int] = {}
        """Which format a model at an address takes."""

    @property
    def calls(self) -> int:
        """Requests that were answered."""
        return self._budget.calls

    @property
    def spent_usd(self) -> float:
        """What they cost, where a price is known."""
        return self._budget.spent_usd

    async def ask(self, question: Question) -> Verdict:
        """See :class:`~hansei.evaluation.judges.question.Asker`."""
        span = self._spans.begin(question) if self._spans else None
        try:
            verdict, reason = await self._asked(question)
        except BaseException as error:
            self._fail(span, error)
            raise
        if self._spans and span:
            self._spans.answered(span, verdict, reason)
        return verdict

    async def _asked(self, question: Question) -> tuple[Verdict, str | None]:
        messages = instructed(question.messages, question.value)
        response, cached = await self._response(question, messages)
        try:
            return self._verdict(question, [(response, cached)])
        except UnusableAnswer as error:
            # Once more, with what was wrong with it.
            said = _content(response) or ""
            repaired = [
                *messages, {"role": "assistant", "content": said},
                {"role": "user", "content": f"This cannot be used: {error}. Answer again, with the JSON object alone."},
            ]  # fmt: skip
            second = await self._response(question, repaired)
            try:
                return self._verdict(question, [(response, cached), second])
            except UnusableAnswer as again:
                raise JudgeError(f"{question.model.name} gave no answer that can be used, twice: {again}") from again

    def _verdict(self, question: Question, responses: Sequence[tuple[Response, bool]]) -> tuple[Verdict, str | None]:
        """What the last of the responses says; each with whether it was remembered, and so cost nothing."""
        last = responses[-1][0]
        refused = _message(last).get("refusal")
        if refused:
            raise JudgeError(f"{question.model.name} refuses to judge: {str(refused)[:200]}")
        value, rationale = parsed(_content(last), question.value)
        read, written = (sum(_usage(each)[place] for each, _ in responses) for place in (0, 1))
        model = str(last.get("model") or question.model.name)
        paid = [_usage(each) for each, cached in responses if not cached]
        cost = self._cost(question, sum(each[0] for each in paid), sum(each[1] for each in paid)) if paid else 0.0
        return Verdict(value, rationale, model, read, written, cost, not paid), _finish_reason(last)

    def _cost(self, question: Question, read: int, written: int) -> float | None:
        return self._prices.cost(question.model.name, read, written)

    async def _response(self, question: Question, messages: list[Message]) -> tuple[Response, bool]:
        """What a model answers, and whether that was remembered."""
        key = _key(question, messages)
        journaled = f"{key} {question.subject_id}"
        if self._journal is not None and (known := self._journal.get(journaled)) is not None:
            return known, False
        if self._cache is not None and (known := await self._cache.get(key)) is not None:
            return known, True
        async with self._slots:
            response = await self._in_a_format_it_takes(question, messages)
        if self._journal is not None:
            self._journal.put(journaled, response)
        read, written = _usage(response)
        if self._cache is not None:
            cost = self._cost(question, read, written)
            self._cache.put(key, str(response.get("model") or ""), response, read, written, cost)
        return response, False

    async def _in_a_format_it_takes(self, question: Question, messages: list[Message]) -> Response:
        place = question.model.base_url, question.model.name
        while True:
            number = self._formats.get(place, 0)
            try:
                return await self._request(question, messages, FORMATS[number])
            except Refusal as refusal:
                if refusal.status not in _FORMAT_REFUSED or number + 1 >= len(FORMATS) or not refusal.is_about_format:
                    raise JudgeError(f"{question.model.name} cannot be asked: {refusal}") from refusal
                log.info("%s does not take %s answers; asking for less", question.model.name, FORMATS[number])
                self._formats[place] = max(number + 1, self._formats.get(place, 0))

    async def _request(self, question: Question, messages: list[Message], answer_format: str) -> Response:
        estimate = sum(len(str(each["content"])) for each in messages) // _CHARACTERS_PER_TOKEN + _TOKENS_OF_ANSWER
        body: dict[str, Any] = {"model": question.model.name, "messages": messages, **question.model.parameters}
        wanted = response_format(answer_format, question.value)
        if wanted is not None:
            body["response_format"] = wanted
        await self._tokens.take(estimate)
        # Where thousands begin before the first is paid, they count as what they will probably cost.
        expected = 0.0
        if self.settings.batch_api:
            expected = self._cost(question, estimate - _TOKENS_OF_ANSWER, _TOKENS_OF_ANSWER) or 0.0
        self._budget.begin(question.model.name, expected)
        try:
            response = await self._clients.ask(question.model, body)
        except BaseException:
            self._budget.unanswered(expected)
            raise
        read, written = _usage(response)
        self._budget.pay(self._cost(question, read, written), expected)
        self._tokens.correct(read + written - estimate)
        return response

    def _fail(self, span: Span | None, error: BaseException) -> None:
        if self._spans and span:
            self._spans.failed(span, error)

    async def __aenter__(self) -> "ModelAsker":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if isinstance(self._clients, BatchClients):
            await self._clients.close(done=self._journal is not None and self._journal.deleted)
        else:
            await self._clients.close()
        if self._cache is not None:
            await self._cache.close()
        if self._spans:
            await asyncio.to_thread(self._spans.flush)


def _key(question: Question, messages: list[Message]) -> str:
    """SHA-256 of all that the answer depends on."""
    model = question.model
    asked = [model.base_url, model.name, dict(model.parameters), messages, question.value]
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()


def _message(response: Response) -> Mapping[str, Any]:
    choices = response.get("choices") or [{}]
    found: Mapping[str, Any] = choices[0].get("message") or {}
    return found


def _content(response: Response) -> str | None:
    content = _message(response).get("content")
    return content if isinstance(content, str) else None


def _finish_reason(response: Response) -> str | None:
    choices = response.get("choices") or [{}]
    reason = choices[0].get("finish_reason")
    return reason if isinstance(reason, str) else None


def _usage(response: Response) -> tuple[int, int]:
    usage = response.get("usage") or {}
    return int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
