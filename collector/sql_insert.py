"""Where, in the bytes of an ``INSERT``, the statement ends and its data begins."""

import re

_PIECE = re.compile(
    rb"""\s+ | --[^\n]* | \#[ !][^\n]* | /\*.*?\*/
      | '(?:[^'\\]|\\.|'')*' | `(?:[^`\\]|\\.|``)*` | "(?:[^"\\]|\\.|"")*"
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*) | (?P<bracket>[()]) | .""",
    re.VERBOSE | re.DOTALL,
)
_LINE_END = re.compile(rb"[ \t\f]*;?[ \t\f]*\r?\n?")


def data_of_insert(text: bytes) -> int:
    """The position of the data behind ``INSERT … FORMAT name`` or ``INSERT … VALUES``; 0 where there is none."""
    depth = 0
    before = b""
    for match in _PIECE.finditer(text):
        depth += {b"(": 1, b")": -1}.get(match["bracket"], 0)
        word = match["word"]
        if word is None or depth:
            continue
        if not before and word.upper() != b"INSERT":
            return 0
        if before == b"FORMAT":
            end = _LINE_END.match(text, match.end())
            assert end is not None
            return end.end()
        before = word.upper()
        if before == b"VALUES":
            return match.end()
        if before in (b"SELECT", b"WITH", b"WATCH", b"INFILE"):
            return 0
    return 0
