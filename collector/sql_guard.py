"""Judges a stranger's SQL on the engine's own reading of it, by what is allowed.

The engine reads the statement twice for us. ``formatQuerySingleLine`` parses it and writes the syntax tree out
again: one statement, no comments, names and strings quoted in one way. That text is what is run, never what the
caller wrote. ``EXPLAIN AST`` gives the tree itself, with identifiers that came as parameters filled in. Both are
judged: the tree for its kinds of node, tables and functions; the text for the few clauses that the tree of
``EXPLAIN AST`` leaves out (``APPLY``, ``SHOW … WHERE``, ``INTO OUTFILE``). What neither list knows is refused.
``readonly = 1`` of the engine stays on underneath, but is not enough: it lets ``file()`` read any file.

Three things are code though they look like data, and have checks of their own: a table's structure as a string
(``values('a String ALIAS file(…)')``), the name of an aggregate function as a string (``arrayReduce('f(file(…))')``),
and an identifier behind ``IN``, which may be a table, or a file by its absolute path.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from hansei.collector.sql_allowed import (
    EXPLAINS,
    FORMATS,
    INFORMATION_SCHEMA_TABLES,
    KEYWORDS_BEFORE_BRACKET,
    NODES,
    REFUSED_FORMATS,
    SHOW_WORDS,
    STATEMENTS,
    SYSTEM_TABLES,
    TABLE_FUNCTIONS,
)
from hansei.collector.sql_catalog import SYSTEM_DATABASES, Catalog
from hansei.collector.sql_errors import SqlError, denied, read_only
from hansei.collector.sql_functions import AGGREGATES, COMBINATORS, FUNCTIONS, REFUSED_FUNCTIONS
from hansei.collector.sql_statement import Statement
from hansei.collector.sql_tokens import Kind, Token
from hansei.collector.sql_tree import MARKS, Node, parse

_WRITING = ("INSERT", "CREATE", "ALTER", "DROP", "TRUNCATE", "DELETE", "UPDATE", "RENAME", "OPTIMIZE", "SET", "USE")
_LOOKS_INTO = frozenset(
    f"{name}{suffix}"
    for name in ("in", "notIn", "nullIn", "notNullIn", "globalIn", "globalNotIn", "globalNullIn", "globalNotNullIn")
    for suffix in ("", "IgnoreSet")
)
"""Functions whose second argument may be the name of a table."""

_NAMES_AN_AGGREGATE = frozenset({"arrayReduce", "arrayReduceInRanges", "initializeAggregation"})
"""Functions whose first argument is the text of a call of an aggregate function, which the engine evaluates."""
_AGGREGATE_CALL = re.compile(r"'(?P<name>\w+)(?:\([0-9., -]*\))?'(?: \(alias \w+\))?", re.ASCII)
_PLAIN_TYPE = (
    r"(?:(?:Array|Nullable|LowCardinality)\()*(?:U?Int\d*|Float\d*|String|Bool|UUID|Date(?:32|Time(?:64\(\d\))?)?)\)*"
)
_FIRST_VALUE = re.compile(
    rf"'\w+ {_PLAIN_TYPE}(?:, ?\w+ {_PLAIN_TYPE})*'(?: \(alias \w+\))?|'[\w.]*'(?: \(alias \w+\))?|[^'].*", re.ASCII
)
"""What the first argument of ``values`` may be: a structure of plain columns, or what cannot be a structure."""
_PLAIN_NAME = re.compile(r"[\w.-]+")
_NOT_IN_SYSTEM_FUNCTIONS = frozenset({"lambda", "exists", "grouping", "untuple"})
"""Parts of the language that the tree shows as functions."""

_ALLOWED_FUNCTIONS = {name.lower() for name in FUNCTIONS} | {name.lower() for name in AGGREGATES}
_AGGREGATES = {name.lower() for name in AGGREGATES}
_REASONS = {name.lower(): reason for reason, names in REFUSED_FUNCTIONS.items() for name in names}


class Guard:
    """Says whether a statement only reads what strangers may read. Holds nothing but what it knows of the engine."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def judge(self, statement: Statement, tree: Callable[[], str], database: str) -> set[tuple[str, str]]:
        """The tables that a statement reads, by database and name; :class:`SqlError` unless all in it is allowed.

        ``tree`` answers the ``EXPLAIN AST`` of the statement, and is only asked for one that is worth it.
        ``database`` is the current one, in which tables without a database are looked for.
        """
        if not self._catalog.has_database(database):
            raise SqlError(81, "UNKNOWN_DATABASE", f"Database {database} does not exist")
        first = statement.tokens[0]
        if not first.is_keyword(*STATEMENTS):
            raise read_only(f"{first.text} is not taken") if first.text in _WRITING else denied(first.text)
        _judge_words(statement.tokens)
        if first.is_keyword("SHOW"):
            _judge_show(statement.tokens)
        if statement.format is not None:
            _judge_format(statement.format)
        judgement = _Judgement(self._catalog, database, statement.tokens, parse(tree()))
        return judgement.run()

    def judge_format(self, name: str) -> None:
        """Raise :class:`SqlError` unless the output format is one that needs nothing but the rows."""
        _judge_format(name)


def _judge_words(tokens: Sequence[Token]) -> None:
    """Refuse what shows in the text alone, and names that would make the tree ambiguous."""
    for index, token in enumerate(tokens):
        if token.is_keyword("INTO"):
            raise denied("INTO OUTFILE")
        if token.is_keyword("APPLY"):
            _judge_apply(tokens[index + 1 :])
        if token.kind is Kind.QUOTED and any(mark in token.text for mark in MARKS):
            raise SqlError(62, "SYNTAX_ERROR", f"The name {token.text} is not taken at this address")


def _judge_apply(after: Sequence[Token]) -> None:
    """``APPLY name`` and ``APPLY name(0.5)`` are judged by the name; of a lambda the tree shows nothing at all."""
    plain = bool(after) and after[0].name is not None and not (len(after) > 1 and after[1].is_symbol("->"))
    if plain and len(after) > 1 and after[1].is_symbol("("):
        for token in after[2:]:
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


def _judge_format(name: str) -> None:
    if name not in FORMATS:
        reason = REFUSED_FORMATS.get(name)
        if reason is None:
            raise SqlError(73, "UNKNOWN_FORMAT", f"Unknown format {name}")
        raise denied(f"FORMAT {name} ({reason})")


class _Judgement:
    """One statement's judging: its tree, the names it defines, and where tables are looked for."""

    def __init__(self, catalog: Catalog, database: str, tokens: Sequence[Token], nodes: Sequence[Node]) -> None:
        self._catalog = catalog
        self._database = database
        self._tokens = tokens
        self._tables: set[tuple[str, str]] = set()
        self._nodes = nodes
        self._common_table_at = _common_tables(tokens)
        self._common_tables = set(self._common_table_at.values())
        self._lambdas = {
            node.alias
            for node in nodes
            if node.kind == "Function" and node.name == "lambda" and node.alias and not catalog.has_function(node.alias)
        }

    def run(self) -> set[tuple[str, str]]:
        """Judge everything; answers the tables."""
        for name in self._common_tables:
            # Where the name is not in scope, the engine takes a table of that name instead.
            self._maybe_table(name)
        for node in self._nodes:
            self._node(node)
        for name in self._called_in_text():
            if not (TABLE_FUNCTIONS & {name, name.lower()} or self._catalog.has_view(*self._qualified(name))):
                self._function(name)
        return self._tables

    def _node(self, node: Node) -> None:
        if node.kind not in NODES:
            raise read_only(f"{node.kind.removesuffix('Query')} is not taken")
        if node.kind == "TableIdentifier":
            self._table(node.name)
        elif node.kind == "Function":
            self._function_node(node)
        elif node.kind == "Set" and not node.is_below("Explain"):
            raise SqlError(164, "READONLY", "Settings can be given at the end of the whole statement only")
        elif node.kind == "Explain" and node.name not in EXPLAINS:
            raise denied(node.name)
        elif node.kind.startswith(("ShowCreate", "Exists")) and "Database" not in node.kind:
            self._named_table(node)

    def _function_node(self, node: Node) -> None:
        name, arguments = node.name, node.arguments
        if node.is_below("TableExpression"):
            self._table_function(name, arguments)
            return
        self._function(name)
        if name in _NAMES_AN_AGGREGATE and arguments:
            call = _AGGREGATE_CALL.fullmatch(arguments[0].rest) if arguments[0].kind == "Literal" else None
            if call is None:
                raise denied(f"the function {name} with other than the plain name of an aggregate function")
            self._function(call["name"])
        if name in _LOOKS_INTO and len(arguments) == 2 and arguments[1].kind == "Identifier":
            self._maybe_table(arguments[1].name)
            if not _PLAIN_NAME.fullmatch(arguments[1].name):
                raise denied(f"IN `{arguments[1].name}`")

    def _function(self, name: str) -> None:
        lowered = name.lower()
        if lowered in _ALLOWED_FUNCTIONS or name in self._lambdas or lowered in _NOT_IN_SYSTEM_FUNCTIONS:
            return
        if _is_combined(lowered) or self._catalog.has_sql_function(name):
            return
        reason = _REASONS.get(lowered)
        if reason is not None:
            raise denied(f"the function {name} (it {reason})" if " " in reason else f"the function {name}")
        if not self._catalog.has_function(name):
            raise SqlError(46, "UNKNOWN_FUNCTION", f"Function with name `{name}` does not exist")
        raise denied(f"the function {name}")

    def _table_function(self, name: str, arguments: Sequence[Node]) -> None:
        if TABLE_FUNCTIONS & {name, name.lower()}:
            if "values" in name.lower() and arguments and not _is_first_value(arguments[0]):
                raise denied(f"{name} with a structure of other than plain columns")
            return
        database, view = self._qualified(name)
        if not self._catalog.has_view(database, view):
            raise denied(f"the table function {name}")
        self._judge_table(database, view)

    def _table(self, name: str) -> None:
        if name in self._common_tables:
            return
        database, table = self._qualified(name)
        if not self._catalog.has_table(database, table):
            raise SqlError(60, "UNKNOWN_TABLE", f"Unknown table expression identifier '{name}'")
        self._judge_table(database, table)

    def _maybe_table(self, name: str) -> None:
        """A name that is a table if there is one, and else something of the statement's own."""
        database, table = self._qualified(name)
        if self._catalog.has_table(database, table):
            self._judge_table(database, table)

    def _named_table(self, node: Node) -> None:
        """``SHOW CREATE TABLE db t`` and ``EXISTS TABLE db t``."""
        database, _, table = node.name.partition(" ")
        database = database or self._database
        if self._catalog.has_table(database, table):
            self._judge_table(database, table)
        elif node.kind.startswith("ShowCreate") or not _PLAIN_NAME.fullmatch(table):
            # The engine would look for a file.
            raise SqlError(60, "UNKNOWN_TABLE", f"Table {database}.{table} does not exist")

    def _judge_table(self, database: str, table: str) -> None:
        allowed = {"system": SYSTEM_TABLES}.get(database, INFORMATION_SCHEMA_TABLES)
        if database in SYSTEM_DATABASES and table not in allowed and table.lower() not in allowed:
            raise denied(f"the table {database}.{table}")
        self._tables.add((database, table))

    def _qualified(self, name: str) -> tuple[str, str]:
        database, dot, table = name.rpartition(".")
        return (database, table) if dot else (self._database, name)

    def _called_in_text(self) -> set[str]:
        """Names before a round bracket, and after ``APPLY``, that are neither keywords nor names of a result."""
        found = set()
        for index, (token, after) in enumerate(pairwise(self._tokens)):
            if token.is_keyword("APPLY") and after.name is not None:
                found.add(after.name)
            if token.name is None or not after.is_symbol("(") or token.is_keyword(*KEYWORDS_BEFORE_BRACKET):
                continue
            # WITH t(x) AS (SELECT 1), and (SELECT 1) AS t(x), name the columns of t.
            if index not in self._common_table_at and not self._tokens[index - 1].is_keyword("AS"):
                found.add(token.name)
        return found


def _common_tables(tokens: Sequence[Token]) -> dict[int, str]:
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


def _is_first_value(node: Node) -> bool:
    if node.kind == "Function":
        return node.name in ("tuple", "array")
    return node.kind == "Literal" and _FIRST_VALUE.fullmatch(node.rest) is not None


def _is_combined(name: str) -> bool:
    """Whether this is an allowed aggregate function with combinators: ``quantileIf``, ``sumArrayIf`` …"""
    for combinator in COMBINATORS:
        stem = name.removesuffix(combinator.lower())
        if stem != name and (stem in _AGGREGATES or _is_combined(stem)):
            return True
    return False


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
