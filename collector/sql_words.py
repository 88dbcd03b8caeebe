"""What the text of a statement tells that its syntax tree does not: clauses, common tables, parameters, formats."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from hansei.collector.sql_allowed import FORMATS, REFUSED_FORMATS, SHOW_WORDS
from hansei.collector.sql_errors import SqlError, denied
from hansei.collector.sql_statement import Statement
from hansei.collector.sql_tokens import Kind, Token
from hansei.collector.sql_tree import MARKS

_MOST_APPLY = 50
"""Each ``APPLY`` makes a longer name out of the one before; 20 000 of them took the engine 2 GiB."""


def judge_words(tokens: Sequence[Token]) -> None:
    """Refuse what shows in the text alone, and names that would make the tree ambiguous."""
    if tokens[0].is_keyword("SHOW"):
        _judge_show(tokens)
    if sum(token.is_keyword("APPLY") for token in tokens) > _MOST_APPLY:
        raise SqlError(168, "TOO_BIG_AST", f"AST is too big: at most {_MOST_APPLY} times APPLY")
    for index, token in enumerate(tokens):
        if token.is_keyword("INTO"):
            raise denied("INTO")
        if token.is_keyword("APPLY"):
            _judge_apply(tokens, index + 1)
        if token.kind is Kind.QUOTED and any(mark in token.text for mark in MARKS):
            raise SqlError(62, "SYNTAX_ERROR", f"The name {token.text} is not taken at this address")


def _judge_apply(tokens: Sequence[Token], at: int) -> None:
    """``APPLY name`` and ``APPLY name(0.5)`` are judged by the name; of a lambda the tree shows nothing at all."""
    plain = at < len(tokens) and tokens[at].name is not None
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    plain = plain and (following is None or not following.is_symbol("->"))
    if plain and following is not None and following.is_symbol("("):
        for index in range(at + 2, len(tokens)):
            token = tokens[index]
            if token.is_symbol(")"):
                break
            plain = plain and (token.kind in (Kind.NUMBER, Kind.STRING) or token.text in (",", "-"))
    if not plain:
        raise denied("APPLY with a lambda")


def _judge_show(tokens: Sequence[Token]) -> None:
    names = {"FROM", "TABLE", "VIEW", "DATABASE"}
    for before, token in pairwise(tokens):
        if token.kind is Kind.WORD and not token.is_keyword(*SHOW_WORDS):
            is_name = before.is_symbol(".") or before.is_keyword(*names)
            if not is_name:
                raise denied(f"SHOW {token.text}")


def judge_format(name: str) -> None:
    """Raise :class:`SqlError` unless the output format is one that needs nothing but the rows."""
    if name not in FORMATS:
        reason = REFUSED_FORMATS.get(name)
        if reason is None:
            raise SqlError(73, "UNKNOWN_FORMAT", f"Unknown format {name}")
        raise denied(f"FORMAT {name} ({reason})")


def common_tables(tokens: Sequence[Token]) -> dict[int, str]:
    """Where ``WITH name[(columns)] AS [MATERIALIZED] (…)`` defines which name; the tree does not show them."""
    found = {}
    for index, token in enumerate(tokens[:-2]):
        after = tokens[index + 2 if tokens[index + 1].is_keyword("MATERIALIZED") else index + 1]
        if not index or not token.is_keyword("AS") or not after.is_symbol("("):
            continue
        before = index - 1
        if tokens[before].is_symbol(")"):
            depth = tokens[before].depth
            while before and not (tokens[before].is_symbol("(") and tokens[before].depth == depth):
                before -= 1
            before -= 1
        name = tokens[before].name
        if before >= 0 and name is not None and re.fullmatch(r"\w+", name, re.ASCII):
            found[before] = name
    return found


def check_parameters(statement: Statement, parameters: Mapping[str, str]) -> None:
    """Refuse an ``Identifier`` parameter whose value could be taken for something else in the tree."""
    for token in statement.tokens:
        if token.kind is not Kind.PARAMETER:
            continue
        name, _, kind = token.text.strip("{}").partition(":")
        value = parameters.get(name.strip(), "")
        if kind.strip() == "Identifier" and re.fullmatch(r"[\w.]+", value, re.ASCII) is None:
            raise SqlError(
                457,
                "BAD_QUERY_PARAMETER",
                f"Value {value!r} of the query parameter '{name.strip()}' is not a plain name",
            )
