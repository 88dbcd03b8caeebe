"""What a judgement costs."""

from collections.abc import Mapping
from datetime import datetime, timezone
from functools import lru_cache


class Prices:
    """Prices of models: those that were given, else what genai-prices knows."""

    def __init__(self, given: Mapping[str, tuple[float, float]] | None = None, *, part: float = 1.0) -> None:
        """``part`` of them is paid."""
        self._given = given or {}
        self._part = part

    def cost(self, model: str, input_tokens: int, output_tokens: int) -> float | None:
        """In USD; None where no price is known."""
        found = self._given.get(model) or _known(model)
        if found is None:
            return None
        return self._part * (found[0] * input_tokens + found[1] * output_tokens) / 1e6

    def knows(self, model: str) -> bool:
        """Whether it has a price."""
        return self.cost(model, 1, 1) is not None


@lru_cache(maxsize=256)
def _known(model: str) -> tuple[float, float] | None:
    """USD per million input and output tokens, now, as the collector prices the call's span; of a prompt that is not
    so long that it costs more."""
    try:
        from genai_prices.data import providers
    except ImportError:
        return None
    from hansei.collector.prices import look_up

    now = datetime.now(timezone.utc)
    second = now.hour * 3600 + now.minute * 60 + now.second
    entries = [
        each
        for each in look_up(providers, "openai", model).prices
        if each.start <= now and each.day_start <= second and each.input_tokens_above == 0
    ]
    # They are in the order of their dates, and of the times of the day.
    return (entries[-1].input, entries[-1].output) if entries else None
