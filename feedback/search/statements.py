"""The SQL of this package: named, described blocks of ``queries.sql``."""

import re
from functools import cache
from importlib.resources import files
from typing import Final

_BLOCK: Final = re.compile(r"-- name: (\w+)\n(?:--.*\n)*((?:.|\n)*?);\n")


@cache
def statement(name: str) -> str:
    """A block, without its description; ``/*places*/`` in it are filled by :func:`fill`."""
    text = files(__package__).joinpath("queries.sql").read_text()
    return {found[1]: found[2] for found in _BLOCK.finditer(text)}[name]


def fill(sql: str, **places: str) -> str:
    """A block with its places filled."""
    for name, text in places.items():
        sql = sql.replace(f"/*{name}*/", text)
    return sql
