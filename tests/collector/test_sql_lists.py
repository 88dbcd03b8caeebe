"""The lists that strangers' SQL is judged by, against what the installed engine has."""

from collections.abc import Callable
from typing import Any

import pytest

from hansei.collector import sql_allowed
from hansei.collector.sql_functions import AGGREGATES, COMBINATORS, FUNCTIONS, REFUSED_FUNCTIONS
from hansei.collector.sql_guard import _is_combined

Rows = Callable[..., list[tuple[Any, ...]]]

REFUSED = frozenset().union(*REFUSED_FUNCTIONS.values())


def names(rows: Rows, sql: str) -> set[str]:
    """The one column of a result."""
    return {str(row[0]) for row in rows(sql)}


@pytest.fixture(scope="module")
def functions(rows: Rows) -> set[str]:
    """The names of all functions that come with the engine."""
    return names(rows, "SELECT name FROM system.functions WHERE origin = 'System'")


def test_every_function_was_looked_at(functions: set[str]) -> None:
    """Each function of the engine is in one of the three lists, and each listed one is in the engine."""
    assert functions == FUNCTIONS | AGGREGATES | REFUSED


def test_no_function_in_two_lists() -> None:
    """No name is both allowed and refused, in whatever case, nor refused for two reasons."""
    lists = [FUNCTIONS, AGGREGATES, *REFUSED_FUNCTIONS.values()]
    for position, some in enumerate(lists):
        for others in lists[position + 1 :]:
            assert {name.lower() for name in some} & {name.lower() for name in others} == set()


def test_aliases_share_their_functions_fate(rows: Rows) -> None:
    """A function and its other names are in the same list."""
    allowed = FUNCTIONS | AGGREGATES
    for name, of in rows("SELECT name, alias_to FROM system.functions WHERE alias_to != '' AND origin = 'System'"):
        assert (name in allowed) == (of in allowed or _is_combined(of.lower())), (name, of)


def test_aggregates_are_aggregates(rows: Rows) -> None:
    """The list of aggregate functions, which take combinators, is the engine's without those that are refused."""
    aggregates = names(
        rows,
        """
        SELECT name FROM system.functions
        WHERE origin = 'System' AND (is_aggregate OR alias_to IN (SELECT name FROM system.functions WHERE is_aggregate))
        """,
    )
    assert aggregates - REFUSED <= AGGREGATES
    assert not AGGREGATES & REFUSED


def test_combinators(rows: Rows) -> None:
    """Every combinator is one of the engine's, and none makes a refused function out of an allowed aggregate."""
    assert set(COMBINATORS) <= names(rows, "SELECT name FROM system.aggregate_function_combinators")
    assert [name for name in REFUSED if _is_combined(name.lower())] == []


def test_every_format_was_looked_at(rows: Rows) -> None:
    """Each output format of the engine is in one of the two lists, and each listed one is in the engine."""
    formats = names(rows, "SELECT name FROM system.formats WHERE is_output")
    assert formats == sql_allowed.FORMATS | sql_allowed.REFUSED_FORMATS.keys()
    assert not sql_allowed.FORMATS & sql_allowed.REFUSED_FORMATS.keys()


def test_settings_exist(rows: Rows) -> None:
    """Each setting that readers may choose is one of the engine's, and in one list."""
    engine = names(rows, "SELECT name FROM system.settings")
    assert engine >= sql_allowed.SETTINGS | sql_allowed.BOUNDED_SETTINGS
    assert not sql_allowed.SETTINGS & (sql_allowed.BOUNDED_SETTINGS | sql_allowed.IGNORED_SETTINGS)


@pytest.mark.parametrize(
    ("database", "allowed"),
    [("system", sql_allowed.SYSTEM_TABLES), ("information_schema", sql_allowed.INFORMATION_SCHEMA_TABLES)],
)
def test_tables_exist(rows: Rows, database: str, allowed: frozenset[str]) -> None:
    """Each of the engine's own tables that readers may see is there."""
    there = {row[0] for row in rows("SELECT name FROM system.tables WHERE database = {name:String}", name=database)}
    assert allowed <= there


def test_table_functions_exist(rows: Rows) -> None:
    """Each table function that readers may call is there, and none of them reads outside of the engine."""
    there = names(rows, "SELECT name FROM system.table_functions")
    assert there >= sql_allowed.TABLE_FUNCTIONS
    reaching = {"file", "url", "s3", "remote", "cluster", "mysql", "postgresql", "executable", "python", "Python"}
    assert not sql_allowed.TABLE_FUNCTIONS & reaching
