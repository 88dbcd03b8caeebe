"""What the engine has: databases, tables and functions, as the guard needs to know them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Ask = Callable[[str], Sequence[Sequence[str]]]
"""Runs a query of the endpoint's own; answers its rows as text."""

_TABLES = "SELECT database, name, engine FROM system.tables"
_DATABASES = "SELECT name FROM system.databases"
_FUNCTIONS = "SELECT name, origin FROM system.functions"

SYSTEM_DATABASES = frozenset({"system", "information_schema", "INFORMATION_SCHEMA"})
_VIEW_ENGINES = frozenset({"View"})


@dataclass
class Catalog:
    """A copy of the engine's lists. Read it again when something is asked for that is not in it.

    Something that was dropped stays known until then; the engine answers for it.
    """

    ask: Ask
    _databases: frozenset[str] = frozenset()
    _tables: frozenset[tuple[str, str]] = frozenset()
    _views: frozenset[tuple[str, str]] = frozenset()
    _functions: frozenset[str] = frozenset()
    _sql_functions: frozenset[str] = frozenset()

    def has_database(self, name: str) -> bool:
        """Whether there is such a database."""
        return name in self._databases

    def has_table(self, database: str, name: str) -> bool:
        """Whether there is such a table or view: one with this very name, not a file that the engine would open."""
        return (database, name) in self._tables

    def has_view(self, database: str, name: str) -> bool:
        """Whether there is such a view; a view may have parameters and is then called like a function."""
        return (database, name) in self._views

    def has_function(self, name: str) -> bool:
        """Whether the engine knows a function of this name, in any spelling."""
        return name.lower() in self._functions

    def has_sql_function(self, name: str) -> bool:
        """Whether an administrator made a function of this name in SQL (``CREATE FUNCTION``)."""
        return name in self._sql_functions

    def read(self) -> None:
        """Take a new copy. It takes some 30 ms."""
        self._databases = _first_column(self.ask(_DATABASES))
        tables = self.ask(_TABLES)
        self._tables = frozenset((database, name) for database, name, _ in tables)
        self._views = frozenset((database, name) for database, name, engine in tables if engine in _VIEW_ENGINES)
        functions = self.ask(_FUNCTIONS)
        self._functions = frozenset(name.lower() for name, _ in functions)
        self._sql_functions = frozenset(name for name, origin in functions if origin == "SQLUserDefined")


def _first_column(rows: Iterable[Sequence[str]]) -> frozenset[str]:
    return frozenset(row[0] for row in rows)
