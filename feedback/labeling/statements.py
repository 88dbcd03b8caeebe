"""The SQL of this package: named, described blocks of its ``.sql`` files."""

import re
from functools import cache
from importlib.resources import files
from typing import Final

_BLOCK: Final = re.compile(r"-- name: (\w+)\n(?:--.*\n)*((?:.|\n)*?);\n")


@cache
def _blocks() -> dict[str, str]:
    texts = [file.read_text() for file in files(__package__).iterdir() if file.name.endswith(".sql")]
    return {found[1]: found[2] for text in texts for found in _BLOCK.finditer(text)}


def statement(name: str) -> str:
    """A block, without its description."""
    return _blocks()[name]
