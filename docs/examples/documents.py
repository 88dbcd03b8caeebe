"""The manual of a coffee machine that does not exist, in short documents, and a search over them."""

import math
import re
from collections import Counter
from typing import NamedTuple

DOCUMENTS = {
    "descaling": (
        "Descale your machine every three months, or when the drop light blinks orange. "
        "To descale, fill the tank with 500 ml of water and one sachet of descaler, "
        "hold the steam button for five seconds and let the cycle run for 20 minutes. "
        "Rinse twice with clean water afterwards."
    ),
    "cleaning": (
        "Rinse the milk nozzle with water after every drink. "
        "Put neither the drip tray nor the milk jug in the dishwasher: wash both by hand. "
        "The brew group goes under warm water once a week, without soap."
    ),
    "warranty": (
        "The warranty covers the Kumo One for two years from the date of purchase, and the pump for five years. "
        "Damage by limescale is not covered. To make a claim, send the receipt and the serial number, "
        "which is under the drip tray."
    ),
    "grinder": (
        "The grinder has 12 steps. For espresso start at step 4; for filter coffee start at step 9. "
        "Change the step only while the grinder runs. If espresso tastes bitter, grind one step coarser; "
        "if espresso tastes sour, grind one step finer."
    ),
    "returns": (
        "A machine can be returned within 30 days of delivery, used or not. "
        "Refunds arrive within five working days after the machine reaches our workshop. "
        "Opened bags of coffee cannot be returned."
    ),
    "lights": (
        "A steady white light means that the machine is ready. A blinking white light means that it is heating, "
        "which takes 45 seconds. A red light means that the water tank is empty or not in place."
    ),
}


class Found(NamedTuple):
    """A document that answers to a query, and how well."""

    id: str
    score: float
    text: str


def search(query: str, top_k: int = 2) -> list[Found]:
    """The documents that best match a query, by BM25: rare words count more, long documents less."""
    average_length = sum(map(len, _WORDS.values())) / len(_WORDS)
    scores = dict.fromkeys(DOCUMENTS, 0.0)
    for word in set(_words(query)):
        holders = sum(word in words for words in _WORDS.values())
        rarity = math.log(1 + (len(_WORDS) - holders + 0.5) / (holders + 0.5))
        for name, words in _WORDS.items():
            times = Counter(words)[word]
            scores[name] += rarity * times * 2.2 / (times + 0.3 + 0.9 * len(words) / average_length)
    best = sorted(scores, key=lambda name: scores[name], reverse=True)[:top_k]
    return [Found(name, round(scores[name], 3), DOCUMENTS[name]) for name in best if scores[name] > 0]


def _words(text: str) -> list[str]:
    return [word.rstrip("s") for word in re.findall(r"[a-z0-9]+", text.lower())]


_WORDS = {name: _words(text) for name, text in DOCUMENTS.items()}
