"""A text that grows by pieces, up to a bound."""


class BoundedText:
    """Keeps the first ``limit`` characters of what is added, and counts the rest."""

    __slots__ = ("_left_out", "_pieces", "_room")

    def __init__(self, limit: int) -> None:
        self._pieces: list[str] = []
        self._room = limit
        self._left_out = 0

    def add(self, piece: str) -> None:
        """Append a piece."""
        size = len(piece)
        if size <= self._room:
            self._pieces.append(piece)
            self._room -= size
            # A stream of single characters must not become a list of a hundred thousand.
            if len(self._pieces) >= 1024:
                self._pieces = ["".join(self._pieces)]
            return
        if self._room:
            self._pieces.append(piece[: self._room])
        self._left_out += size - self._room
        self._room = 0

    def __str__(self) -> str:
        text = "".join(self._pieces)
        return f"{text}… [{self._left_out} characters left out]" if self._left_out else text
