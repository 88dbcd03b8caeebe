"""What an earlier run left in a write-ahead log, until it is in the store."""

from pathlib import Path
from typing import Final

_NAME: Final = 37
"""Characters of a segment's name that its halves share with it."""


class Recovery:
    """Whether segments of an earlier run still wait for the store. Thread-safe."""

    def __init__(self, directory: Path) -> None:
        """Look at a log that is open, before anything is taken."""
        self._directory = directory
        self._left = frozenset(_names(directory))

    def waiting(self) -> bool:
        """Whether any is left; once there is none, none will be."""
        if self._left:
            self._left = self._left.intersection(_names(self._directory))
        return bool(self._left)


def _names(directory: Path) -> list[str]:
    return [path.name[:_NAME] for path in directory.iterdir()]
