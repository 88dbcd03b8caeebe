"""What can be wrong with a search, said in one line (a filter's error shows the place below it)."""

from hansei.collector.errors import HanseiError


class SearchError(HanseiError):
    """Nothing could be read: no server, no right, no extra, or SQL that ClickHouse refused."""


class InvalidSearch(SearchError, ValueError):
    """An argument of a search cannot be used; the text names it, its value and what would be allowed."""


class FilterError(InvalidSearch):
    """A filter cannot be understood; the text shows the place, what stands there and what would be allowed."""

    def __init__(self, problem: str, text: str, position: int) -> None:
        self.problem = problem
        self.position = position
        super().__init__(f"filter: {problem}\n{_shown(text, position)}")


_AROUND = 60
"""Characters shown on each side of the place."""


def _shown(text: str, position: int) -> str:
    start, end = max(0, position - _AROUND), position + _AROUND
    # One character for each, so that the caret stands under its place.
    line = "".join(character if character.isprintable() else " " for character in text[start:end])
    before = "…" if start else ""
    return f"    {before}{line}{'…' if end < len(text) else ''}\n    {' ' * (len(before) + position - start)}^"
