"""What judging may cost: prices, and when a budget is spent."""

import pytest

from hansei.evaluation.errors import BudgetSpent, InvalidEvaluation
from hansei.evaluation.judges.budget import Budget
from hansei.evaluation.judges.prices import Prices
from hansei.evaluation.judges.settings import JudgeSettings

GIVEN = {"house": (1.0, 3.0)}


def budget(**settings: float) -> Budget:
    return Budget(JudgeSettings(**settings), Prices(GIVEN))  # type: ignore[arg-type]


def test_prices() -> None:
    """Those that were given go over those that genai-prices knows; OpenAI sells none of its open models."""
    prices = Prices({"house": (1.0, 3.0), "gpt-4.1-mini": (10.0, 0.0)})
    assert prices.cost("house", 1_000_000, 2_000_000) == 7.0
    assert prices.cost("gpt-4.1-mini", 1_000_000, 1_000_000) == 10.0
    assert Prices().cost("gpt-4.1-mini", 1_000_000, 1_000_000) == pytest.approx(2.0)
    assert Prices(part=0.5).cost("gpt-4.1-mini", 1_000_000, 1_000_000) == pytest.approx(1.0)
    assert [Prices().cost(name, 1, 1) for name in ("house", "gpt-oss-20b")] == [None, None]


def test_the_longest_prompts_do_not_set_the_price() -> None:
    """A model whose long prompts cost more is priced as its usual ones are."""
    usual = Prices().cost("gpt-5.4", 1_000_000, 0)
    assert usual == pytest.approx(2.5)


def test_nothing_is_limited_by_itself() -> None:
    """Without a budget everything may begin, also what has no price."""
    free = budget()
    for _ in range(100):
        free.begin("unknown")
        free.pay(None)
    assert (free.calls, free.spent_usd) == (100, 0.0)


def test_what_is_under_way_is_finished() -> None:
    """What began before the budget was spent is paid and counted; what would begin after does not."""
    spent = budget(budget_usd=1.0)
    for _ in range(3):
        spent.begin("house")
    for _ in range(3):
        spent.pay(0.5)
    with pytest.raises(BudgetSpent, match="the budget of 1 USD is spent"):
        spent.begin("house")
    assert (spent.calls, spent.spent_usd) == (3, 1.5)


def test_expected() -> None:
    """What a request will probably cost is counted while it is under way, if the caller says so, and given back."""
    spent = budget(budget_usd=1.0)
    spent.begin("house", 0.6)
    spent.begin("house", 0.6)
    with pytest.raises(BudgetSpent):
        spent.begin("house", 0.6)
    spent.pay(0.1, 0.6)
    spent.unanswered(0.6)
    spent.begin("house", 0.6)
    assert (spent.calls, spent.spent_usd) == (2, 0.1)


def test_an_unanswered_call_costs_nothing() -> None:
    """A request without an answer gives its place to another."""
    spent = budget(budget_calls=1)
    spent.begin("house")
    spent.unanswered()
    spent.begin("house")
    with pytest.raises(BudgetSpent, match="the budget of 1 calls is spent"):
        spent.begin("house")


def test_a_budget_of_nothing() -> None:
    """With a budget of 0 nothing is asked."""
    for nothing in (budget(budget_calls=0), budget(budget_usd=0)):
        with pytest.raises(BudgetSpent):
            nothing.begin("house")


def test_no_price() -> None:
    """A budget in USD and a model without a price do not go together."""
    with pytest.raises(InvalidEvaluation, match="no price is known for the model 'unknown'; give one in prices, or a"):
        budget(budget_usd=1.0).begin("unknown")
