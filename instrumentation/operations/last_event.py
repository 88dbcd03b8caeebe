"""Streams whose last event has all there is to know."""

from typing import Any

from hansei.instrumentation.operations.fields import field
from hansei.instrumentation.operations.operation import StreamReader


class LastEventReader(StreamReader):
    """Keeps the event that ends such a stream."""

    def __init__(self, ends: frozenset[str]) -> None:
        """``ends``: the types of the events that do."""
        self.complete = False
        self._ends = ends
        self._last: Any = None

    def read(self, chunk: Any) -> None:
        """See :class:`StreamReader`."""
        if field(chunk, "type") in self._ends:
            self._last, self.complete = chunk, True

    def response(self) -> Any:
        """See :class:`StreamReader`."""
        return self._last
