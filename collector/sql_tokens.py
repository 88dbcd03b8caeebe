"""Tokens of a statement as the engine itself writes it.

The input is never what a caller typed but the engine's own formatting of its syntax tree
(``formatQuerySingleLine``): no comments, back-quoted names, single-quoted strings, one statement. So a
lexer of a few lines is exact, and whatever it does not know is refused rather than guessed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from hansei.collector.sql_errors import SqlError

_PATTERN = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>'(?:[^'\\]|\\.)*')
      | (?P<quoted>`(?:[^`\\]|\\.)*`)
      | (?P<number>(?<![A-Za-z_0-9])\d[\w.]*(?:(?<=[eE])[+-]\d+)?)
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<parameter>\{\s*[A-Za-z_][A-Za-z0-9_]*\s*:[^{}]*\})
      | (?P<symbol>::|->|!=|<=|>=|==|<=>|\|\||[-+*/%=<>()\[\],.?:^@])""",
    re.VERBOSE | re.DOTALL,
)
# What would start a comment or a heredoc never stands outside of quotes in the engine's own writing.
_COMMENTS = frozenset({("-", "-"), ("/", "*"), ("/", "/")})


class Kind(Enum):
    """What a token is."""

    STRING = "string"
    QUOTED = "quoted"
    NUMBER = "number"
    WORD = "word"
    PARAMETER = "parameter"
    SYMBOL = "symbol"


@dataclass(frozen=True, slots=True)
class Token:
    """A token and where it stands; ``depth`` counts the round brackets around it."""

    kind: Kind
    text: str
    start: int
    end: int
    depth: int

    @property
    def name(self) -> str | None:
        """The name that a word or a back-quoted name stands for; None for anything else."""
        if self.kind is Kind.WORD:
            return self.text
        return self.text[1:-1] if self.kind is Kind.QUOTED else None

    def is_keyword(self, *keywords: str) -> bool:
        """Whether this is one of these words, unquoted and in capitals as the engine writes keywords."""
        return self.kind is Kind.WORD and self.text in keywords

    def is_symbol(self, symbol: str) -> bool:
        """Whether this is the given operator or bracket."""
        return self.kind is Kind.SYMBOL and self.text == symbol


def tokenize(statement: str) -> list[Token]:
    """The tokens of a formatted statement. Raises :class:`SqlError` for anything it does not know."""
    tokens: list[Token] = []
    position = depth = 0
    while position < len(statement):
        match = _PATTERN.match(statement, position)
        if match is None:
            raise SqlError(62, "SYNTAX_ERROR", f"Unrecognized token at {statement[position : position + 20]!r}")
        position = match.end()
        kind = match.lastgroup
        if kind is None or kind == "space":
            continue
        text = match.group()
        if text == ")":
            depth -= 1
        token = Token(Kind(kind), text, match.start(), match.end(), depth)
        if text == "(":
            depth += 1
        if token.kind is Kind.QUOTED and "\\" in text:
            raise SqlError(62, "SYNTAX_ERROR", f"The name {text} holds a character that this address does not take")
        if tokens and tokens[-1].end == token.start and (tokens[-1].text, text) in _COMMENTS:
            raise SqlError(62, "SYNTAX_ERROR", "A comment where none can be")
        tokens.append(token)
    return tokens


def output_format(tokens: Sequence[Token]) -> int | None:
    """The index of the ``FORMAT`` keyword of a statement's trailing ``FORMAT name`` clause, if it has one."""
    for index in range(len(tokens) - 2, 0, -1):
        if not tokens[index].is_keyword("FORMAT") or tokens[index].depth or tokens[index + 1].name is None:
            continue
        after = tokens[index + 2] if index + 2 < len(tokens) else None
        if after is None or after.is_keyword("SETTINGS"):
            return index
    return None
