"""What holds where several people have said something."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

T = TypeVar("T")

Consensus = Literal["adjudicated", "only", "unanimous", "majority"]
"""By which rule it holds."""


def consensus_of(
    said: Sequence[T], *, source: Callable[[T], str], value: Callable[[T], Any], decides: Callable[[T], bool]
) -> tuple[Consensus, list[T]] | None:
    """The rule that decides, and those who say what holds, the newest last; None where people disagree.

    ``said`` is in the order in which it was said. What an arbiter decided last holds; else, of the newest of each
    source, what all say or more than half of them.
    """
    decided = [each for each in said if decides(each)]
    if decided:
        return "adjudicated", [decided[-1]]
    latest = list({source(each): each for each in said}.values())
    if not latest:
        return None
    if len(latest) == 1:
        return "only", latest
    texts = [json.dumps(value(each), sort_keys=True, default=str) for each in latest]
    text, count = Counter(texts).most_common(1)[0]
    holding = [each for each, written in zip(latest, texts, strict=True) if written == text]
    if count == len(latest):
        return "unanimous", holding
    return ("majority", holding) if 2 * count > len(latest) else None
