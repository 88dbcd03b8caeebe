"""A statement as the engine writes it, and the clauses at its end that belong to the transport."""

from collections.abc import Sequence
from dataclasses import dataclass

from hansei.collector.sql_errors import SqlError
from hansei.collector.sql_tokens import Kind, Token, output_format, tokenize

_READS = frozenset({"SELECT", "WITH", "EXPLAIN", "DESCRIBE", "SHOW", "EXISTS"})


@dataclass(frozen=True)
class Statement:
    """What to run, without ``FORMAT`` and without the settings at its end."""

    text: str
    tokens: Sequence[Token]
    format: str | None
    """The format that the statement asks for itself."""
    settings: dict[str, str]
    """Its settings, each value as an SQL literal."""

    @classmethod
    def read(cls, written: str) -> "Statement":
        """Take apart what ``formatQuerySingleLine`` wrote. Raises :class:`SqlError`."""
        tokens = tokenize(written)
        if not tokens:
            raise SqlError(62, "SYNTAX_ERROR", "Syntax error: Empty query")
        end, name, settings = len(tokens), None, {}
        at = output_format(tokens)
        if at is not None:
            end, name, settings = at, tokens[at + 1].name, _pairs(written, tokens[at + 3 :])
        # The engine takes settings before FORMAT as well as after it.
        end, before = _settings(written, tokens[:end])
        return cls(written[: tokens[end - 1].end], tokens[:end], name, {**before, **settings})

    @property
    def reads(self) -> bool:
        """Whether this only answers a question, and not into a file (``INTO OUTFILE``)."""
        return self.tokens[0].is_keyword(*_READS) and not any(token.is_keyword("INTO") for token in self.tokens)

    @property
    def inserts(self) -> bool:
        """Whether this is an ``INSERT``."""
        return self.tokens[0].is_keyword("INSERT")

    @property
    def streams(self) -> bool:
        """Whether its rows come from a pipeline that can write them as they come.

        The engine rewrites the other statements into queries of its own, whose results are small.
        """
        return self.tokens[0].is_keyword("SELECT", "WITH")


def _settings(written: str, tokens: Sequence[Token]) -> tuple[int, dict[str, str]]:
    """Where a trailing ``SETTINGS a = 1, b = 'x'`` starts (or the end), and what it says."""
    for index in range(len(tokens) - 3, 0, -1):
        token = tokens[index]
        if token.depth or not token.is_keyword("SETTINGS") or not tokens[index + 2].is_symbol("="):
            continue
        return index, _pairs(written, tokens[index + 1 :])
    return len(tokens), {}


def _pairs(written: str, tokens: Sequence[Token]) -> dict[str, str]:
    """What ``a = 1, b = 'x'`` says; nothing where there are no tokens."""
    found: dict[str, str] = {}
    start = 0
    for index in range(len(tokens) + 1 if tokens else 0):
        if index < len(tokens) and not tokens[index].is_symbol(","):
            continue
        pair = tokens[start:index]
        if len(pair) < 3 or pair[0].kind is not Kind.WORD or not pair[1].is_symbol("="):
            raise SqlError(62, "SYNTAX_ERROR", "Settings can be given at the end of the whole statement only")
        value = pair[3:] if pair[2].is_symbol("-") else pair[2:]
        if len(value) != 1 or value[0].kind not in (Kind.STRING, Kind.NUMBER, Kind.WORD):
            raise SqlError(62, "SYNTAX_ERROR", f"The value of the setting {pair[0].text} is not a number or a string")
        found[pair[0].text] = written[pair[2].start : pair[-1].end]
        start = index + 1
    return found
