"""SQL beside the code that runs it: named, described blocks of ``.sql`` files."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

_BLOCK: Final = re.compile(r"-- name: (\w+)\n(?:--.*\n)*((?:.|\n)*?);\n")


@cache
def sql_blocks(package: str) -> Mapping[str, str]:
    """The blocks of a package's files by their names, without their descriptions."""
    texts = [file.read_text() for file in files(package).iterdir() if file.name.endswith(".sql")]
    return {found[1]: found[2] for text in texts for found in _BLOCK.finditer(text)}


def fill(sql: str, **places: str) -> str:
    """A block with its ``/*places*/`` filled."""
    for name, text in places.items():
        sql = sql.replace(f"/*{name}*/", text)
    return sql
