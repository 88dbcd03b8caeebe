"""What the arguments of all searches have in common."""

import re
from typing import Final

from hansei.feedback.search.errors import InvalidSearch

MAX_RESULTS: Final = 100_000


def trace_id_of(value: object) -> str:
    """A trace id in lower case. Raises ``InvalidSearch``."""
    found = value.lower() if isinstance(value, str) else ""
    if not re.fullmatch(r"[0-9a-f]{32}", found):
        raise InvalidSearch(f"trace_id: {value!r} is not 32 hexadecimal digits, as OpenTelemetry writes it")
    return found


def one_line(argument: str, value: object) -> str:
    """A text that can be a parameter of a query. Raises ``InvalidSearch``."""
    if not isinstance(value, str) or re.search("[\0\ud800-\udfff]", value):
        raise InvalidSearch(f"{argument}: {value!r} is not a text that can be stored")
    return value


def limit(max_results: object) -> int:
    """How many to read. Raises ``InvalidSearch``."""
    if not isinstance(max_results, int) or isinstance(max_results, bool) or not 1 <= max_results <= MAX_RESULTS:
        raise InvalidSearch(f"max_results: {max_results!r} is not a number from 1 to {MAX_RESULTS}")
    return max_results
