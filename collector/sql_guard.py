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
from collections.abc import Callable, Sequence
from itertools import pairwise

from hansei.collector.sql_allowed import (
    EXPLAINS,
    INFORMATION_SCHEMA_TABLES,
    KEYWORDS_BEFORE_BRACKET,
    NODES,
    SECRET_TABLES,
    STATEMENTS,
    SYSTEM_TABLES,
    TABLE_FUNCTIONS,
)
from hansei.collector.sql_catalog import SYSTEM_DATABASES, Catalog
from hansei.collector.sql_errors import SqlError, denied, read_only
from hansei.collector.sql_functions import AGGREGATES, COMBINATORS, FUNCTIONS, REFUSED_FUNCTIONS
from hansei.collector.sql_statement import Statement
from hansei.collector.sql_tokens import Token
from hansei.collector.sql_tree import Node, parse
from hansei.collector.sql_words import common_tables, judge_format, judge_words

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
            self._catalog.read()
        if not self._catalog.has_database(database):
            raise SqlError(81, "UNKNOWN_DATABASE", f"Database {database} does not exist")
        first = statement.tokens[0]
        if not first.is_keyword(*STATEMENTS):
            raise read_only(f"{first.text} is not taken") if first.text in _WRITING else denied(first.text)
        judge_words(statement.tokens)
        if statement.format is not None:
            judge_format(statement.format)
        judgement = _Judgement(self._catalog, database, statement.tokens, parse(tree()))
        return judgement.run()


class _Judgement:
    """One statement's judging: its tree, the names it defines, and where tables are looked for."""

    def __init__(self, catalog: Catalog, database: str, tokens: Sequence[Token], nodes: Sequence[Node]) -> None:
        self._catalog = catalog
        self._database = database
        self._tokens = tokens
        self._tables: set[tuple[str, str]] = set()
        self._nodes = nodes
        self._is_read_again = False
        self._common_table_at = common_tables(tokens)
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
            if not (self._is_allowed(name) or _is_table_function(name) or self._has_view(*self._qualified(name))):
                self._function(name)
        return self._tables

    def _find(self, has: Callable[..., bool], *name: str) -> bool:
        """Look something up in the catalog, which is read again once a statement at most."""
        found = has(*name)
        if not found and not self._is_read_again:
            self._is_read_again = True
            self._catalog.read()
            found = has(*name)
        return found

    def _has_view(self, database: str, name: str) -> bool:
        return self._find(self._catalog.has_view, database, name)

    def _has_table(self, database: str, name: str) -> bool:
        return self._find(self._catalog.has_table, database, name)

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
        if self._is_allowed(name) or self._catalog.has_sql_function(name):
            return
        reason = _REASONS.get(name.lower())
        if reason is not None:
            raise denied(f"the function {name} (it {reason})")
        if self._find(self._catalog.has_sql_function, name):
            return
        if not self._catalog.has_function(name):
            raise SqlError(46, "UNKNOWN_FUNCTION", f"Function with name `{name}` does not exist")
        raise denied(f"the function {name}")

    def _is_allowed(self, name: str) -> bool:
        lowered = name.lower()
        return (
            lowered in _ALLOWED_FUNCTIONS
            or name in self._lambdas
            or lowered in _NOT_IN_SYSTEM_FUNCTIONS
            or _is_combined(lowered)
        )

    def _table_function(self, name: str, arguments: Sequence[Node]) -> None:
        if _is_table_function(name):
            if "values" in name.lower() and arguments and not _is_first_value(arguments[0]):
                raise denied(f"{name} with a structure of other than plain columns")
            return
        database, view = self._qualified(name)
        if not self._has_view(database, view):
            raise denied(f"the table function {name}")
        self._judge_table(database, view)

    def _table(self, name: str) -> None:
        if name in self._common_tables:
            return
        database, table = self._qualified(name)
        if not self._has_table(database, table):
            raise SqlError(60, "UNKNOWN_TABLE", f"Unknown table expression identifier '{name}'")
        self._judge_table(database, table)

    def _maybe_table(self, name: str) -> None:
        """A name that is a table if there is one, and else something of the statement's own.

        The copy of the catalog will do: the engine's own tables do not come and go.
        """
        database, table = self._qualified(name)
        if self._catalog.has_table(database, table):
            self._judge_table(database, table)

    def _named_table(self, node: Node) -> None:
        """``SHOW CREATE TABLE db t`` and ``EXISTS TABLE db t``."""
        database, _, table = node.name.partition(" ")
        database = database or self._database
        if self._has_table(database, table):
            self._judge_table(database, table)
        elif node.kind.startswith("ShowCreate") or not _PLAIN_NAME.fullmatch(table):
            # The engine would look for a file.
            raise SqlError(60, "UNKNOWN_TABLE", f"Table {database}.{table} does not exist")

    def _judge_table(self, database: str, table: str) -> None:
        allowed = {"system": SYSTEM_TABLES}.get(database, INFORMATION_SCHEMA_TABLES)
        is_hidden = database in SYSTEM_DATABASES and table not in allowed and table.lower() not in allowed
        if is_hidden or table in SECRET_TABLES:
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


def _is_table_function(name: str) -> bool:
    return bool(TABLE_FUNCTIONS & {name, name.lower()})


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
