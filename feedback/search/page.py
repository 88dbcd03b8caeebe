"""Pages of a search: where one ends, as a token for the next."""

import base64
import json
from collections.abc import Iterable
from typing import Any, TypeVar

from hansei.feedback.search.errors import InvalidSearch

T = TypeVar("T")


class Page(list[T]):
    """Results; ``next_page_token`` is for the ones after them, None where there are no more."""

    next_page_token: str | None

    def __init__(self, found: Iterable[T] = (), next_page_token: str | None = None) -> None:
        super().__init__(found)
        self.next_page_token = next_page_token


def token_of(*place: int | str) -> str:
    """A token of the last result's place in the order."""
    return base64.urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode().rstrip("=")


def place_of(page_token: object, *kinds: type) -> list[Any]:
    """The place that a token tells, of values of these kinds. Raises ``InvalidSearch``."""
    try:
        text = str(page_token)
        found = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        found = None
    if (
        not isinstance(found, list)
        or [type(part) for part in found] != list(kinds)
        or not all(_fits(part) for part in found)
    ):
        raise InvalidSearch(f"page_token: {page_token!r} is not the next_page_token of such a search")
    return found


def _fits(part: int | str) -> bool:
    """Whether it can be a parameter of a query."""
    if isinstance(part, int):
        return -(2**63) <= part < 2**63
    return "\0" not in part and part.encode(errors="replace").decode() == part
