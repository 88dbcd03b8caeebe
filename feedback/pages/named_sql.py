"""The SQL of pages: named, described blocks of the ``.sql`` files beside this one."""

import re
from functools import cache
from importlib.resources import files
from typing import Final

_BLOCK: Final = re.compile(r"-- name: (\w+)\n(?:--.*\n)*((?:.|\n)*?);\n")


@cache
def named_sql(file: str, name: str) -> str:
    """A block of a file, without its description."""
    text = files(__package__).joinpath(file).read_text()
    return {found[1]: found[2] for found in _BLOCK.finditer(text)}[name]
