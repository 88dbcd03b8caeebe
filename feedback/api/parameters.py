"""The query of an address, read strictly."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request

from hansei.feedback.api.problem import Problem
from hansei.feedback.search.arguments import trace_id_of
from hansei.feedback.search.errors import InvalidSearch
from hansei.feedback.search.moment import nanoseconds

PAGES: Final = ("limit", "page_token")
"""The parameters of every list."""
_DEFAULT_LIMIT: Final = 100
_LARGEST_LIMIT: Final = 1000


@dataclass(frozen=True)
class Parameters:
    """What stands in the query, each name once. An empty value is as good as none."""

    given: dict[str, str]
    path: str

    @classmethod
    def of(cls, request: Request, *known: str) -> "Parameters":
        """Read them. Raises :class:`Problem` where there is one that is not known, or one twice."""
        given: dict[str, str] = {}
        for name, value in request.query_params.multi_items():
            if name not in known:
                raise Problem.of_parameter(name[:80], unknown(name, known, "parameter"))
            if name in given:
                raise Problem.of_parameter(name, "it is there twice; give it once")
            given[name] = value
        return cls({name: value for name, value in given.items() if value}, request.url.path)

    def text(self, name: str) -> str | None:
        """A text."""
        return self.given.get(name)

    def trace_id(self) -> str | None:
        """A trace id in lower case. Raises :class:`Problem`."""
        text = self.given.get("trace_id")
        return None if text is None else trace_id_of(text)

    def choice(self, name: str, choices: Sequence[str]) -> str | None:
        """One of some texts, in any case. Raises :class:`Problem`."""
        text = self.given.get(name)
        if text is None:
            return None
        found = next((choice for choice in choices if choice.lower() == text.lower()), None)
        if found is None:
            raise Problem.of_parameter(name, f"{text[:80]!r} is not one of {', '.join(choices)}")
        return found

    def flag(self, name: str) -> bool | None:
        """``true`` or ``false``. Raises :class:`Problem`."""
        text = self.choice(name, ("true", "false"))
        return None if text is None else text == "true"

    def number(self, name: str, default: int, smallest: int, largest: int) -> int:
        """A whole number. Raises :class:`Problem`."""
        text = self.given.get(name)
        if text is None:
            return default
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else -1
        if not smallest <= number <= largest:
            raise Problem.of_parameter(name, f"{text[:80]!r} is not a whole number from {smallest} to {largest}")
        return number

    def moment(self, name: str) -> int | str | None:
        """A moment: RFC 3339, or milliseconds since 1970. Raises :class:`Problem`."""
        text = self.given.get(name)
        if text is None:
            return None
        moment: int | str = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else text
        try:
            nanoseconds(name, moment)
        except InvalidSearch:
            raise Problem.of_parameter(
                name, f"{text[:80]!r} is not a moment; write 2026-11-20T12:00:00Z or milliseconds since 1970"
            ) from None
        return moment

    @property
    def limit(self) -> int:
        """How many are asked for. Raises :class:`Problem`."""
        return self.number("limit", _DEFAULT_LIMIT, 1, _LARGEST_LIMIT)

    def next_page(self, page_token: str | None) -> dict[str, str]:
        """The header that links to the page after this one."""
        if page_token is None:
            return {}
        query = urlencode({**self.given, "page_token": page_token})
        return {"Link": f'<{self.path}?{query}>; rel="next"'}


def unknown(name: str, known: Sequence[str], what: str) -> str:
    """The one line for a name that is not known, with one that may be meant."""
    close = get_close_matches(name, known, 1)
    if close:
        return f"there is no such {what}; did you mean {close[0]}?"
    return f"there is no such {what}; there are {', '.join(known)}" if known else f"no {what} is taken here"


def items(found: Any, page_token: str | None) -> dict[str, Any]:
    """The body of a list."""
    return {"items": found, "next_page_token": page_token}
