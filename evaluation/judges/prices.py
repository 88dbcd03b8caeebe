"""What a judgement costs."""

from collections.abc import Mapping
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
    """USD per million input and output tokens, now."""
    try:
        from genai_prices import Usage, calc_price
    except ImportError:
        return None
    try:
        read = calc_price(Usage(input_tokens=1_000_000), model, provider_id="openai").total_price
        written = calc_price(Usage(output_tokens=1_000_000), model, provider_id="openai").total_price
    except LookupError:
        return None
    return float(read), float(written)
