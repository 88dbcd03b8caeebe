"""What may be spent on judging."""

from hansei.evaluation.errors import BudgetSpent, InvalidEvaluation
from hansei.evaluation.judges.prices import Prices
from hansei.evaluation.judges.settings import JudgeSettings


class Budget:
    """Counts requests and what they cost; once it is spent none begins. For one event loop.

    What is under way counts as nothing until it is answered, or as what is expected of it where the caller says so.
    """

    def __init__(self, settings: JudgeSettings, prices: Prices) -> None:
        self._usd, self._calls = settings.budget_usd, settings.budget_calls
        self._prices = prices
        self.spent_usd = 0.0
        self.calls = 0
        self._expected = 0.0

    def begin(self, model: str, expected_usd: float = 0.0) -> None:
        """A request is about to begin. Raises :class:`BudgetSpent`, and ``InvalidEvaluation`` for a model whose price
        nobody knows while there is a budget in USD."""
        if self._calls is not None and self.calls >= self._calls:
            raise BudgetSpent(f"the budget of {self._calls} calls is spent")
        if self._usd is not None:
            if self.spent_usd + self._expected >= self._usd:
                raise BudgetSpent(f"the budget of {self._usd:g} USD is spent")
            if not self._prices.knows(model):
                raise InvalidEvaluation(
                    f"budget_usd: no price is known for the model {model!r}; give one in prices, or a budget_calls"
                )
        self.calls += 1
        self._expected += expected_usd

    def unanswered(self, expected_usd: float = 0.0) -> None:
        """A request that had begun was not answered, and so cost nothing."""
        self.calls -= 1
        self._expected -= expected_usd

    def pay(self, cost_usd: float | None, expected_usd: float = 0.0) -> None:
        """A request was answered."""
        self.spent_usd += cost_usd or 0.0
        self._expected -= expected_usd
