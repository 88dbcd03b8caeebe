"""How much models that judge are asked, and what that may cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hansei.evaluation.errors import InvalidEvaluation

_CONCURRENCY: Final = 16
_BATCHED: Final = 10_000


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """Limits of asking models. Raises ``InvalidEvaluation`` for one that makes no sense."""

    concurrency: int = _CONCURRENCY
    """Requests at the same time; with ``batch_api`` those that go out together, 10 000 unless it is given."""
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    """Input and output together."""
    budget_usd: float | None = None
    """What may be spent; a request that is under way when it is spent is paid for and counted."""
    budget_calls: int | None = None
    """Requests in all, repairs and other attempts that were answered too."""
    prices: Mapping[str, tuple[float, float]] | None = None
    """USD per million input and output tokens, by model, over what genai-prices knows."""
    cache: bool = False
    """Whether answers are remembered at the hansei, and the same request is not asked again."""
    retries: int = 5
    """Further attempts after what passes: no connection, 408, 409, 429, 5xx."""
    timeout: float = 120.0
    """Seconds for one answer."""
    batch_api: bool = False
    """Whether requests go through OpenAI's Batch API: half the price, answered within a day. The rates do not apply."""

    def __post_init__(self) -> None:
        positive = ("concurrency", "requests_per_minute", "tokens_per_minute", "timeout")
        for name in positive:
            _check(name, getattr(self, name), above=0)
        for name in ("budget_usd", "budget_calls", "retries"):
            _check(name, getattr(self, name), least=0)
        if self.batch_api and self.concurrency == _CONCURRENCY:
            object.__setattr__(self, "concurrency", _BATCHED)


def _check(name: str, value: Any, *, above: float | None = None, least: float | None = None) -> None:
    if value is None:
        return
    allowed = "a number above 0" if above is not None else "0 or more"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidEvaluation(f"{name}: {value!r} is not {allowed}")
    if (above is not None and value <= above) or (least is not None and value < least):
        raise InvalidEvaluation(f"{name}: {value!r} is not {allowed}")
