"""What feedback and evaluation add to the schema: applied after the collector's, in one sequence, and cheap to ask."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from hansei.cli import _SCHEMA
from hansei.collector.errors import StoreError
from hansei.collector.migrations import SCHEMA, _for_cluster, migrate, migrations

from .conftest import Tables

FEEDBACK = ("hansei.feedback.schema",)
EVALUATION = ("hansei.evaluation.schema",)
Database = Callable[[], Any]


def definitions(client: Any) -> dict[str, str]:
    """The definition of each object in the client's database."""
    found = client.query("SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase()")
    return {row[0]: row[1] for row in found.result_rows}


def test_numbers_follow_each_other() -> None:
    """Feedback's files are numbered from 101 without a gap and evaluation's from 201, behind the collector's."""
    numbers = [migration.version for migration in migrations(FEEDBACK)]
    assert numbers == list(range(101, 101 + len(numbers)))
    more = [migration.version for migration in migrations(EVALUATION)]
    assert more == list(range(201, 201 + len(more)))
    assert [migration.version for migration in migrations(_SCHEMA)] == [
        *(migration.version for migration in migrations(SCHEMA)), *numbers, *more,
    ]  # fmt: skip


def test_added_to_a_store_that_has_none(new_database: Database) -> None:
    """A store of the collector alone gets the other tables, once; a run that was interrupted is taken up again."""
    database = new_database()
    migrate(database)
    assert migrate(database, packages=_SCHEMA) == [migration.name for migration in migrations(FEEDBACK + EVALUATION)]
    assert migrate(database, packages=_SCHEMA) == []
    made = definitions(database)
    database.command("TRUNCATE TABLE hansei_schema")
    assert len(migrate(database, packages=_SCHEMA)) == len(list(migrations(_SCHEMA)))
    assert definitions(database) == made


def test_newer_schema_of_either_part(new_database: Database) -> None:
    """A store is refused that has a later file of the collector's, though feedback's numbers are higher."""
    database = new_database()
    migrate(database, packages=_SCHEMA)
    database.command("INSERT INTO hansei_schema (Version, Name) VALUES (90, '0090_later.sql')")
    newest = max(migration.version for migration in migrations())
    with pytest.raises(StoreError) as caught:
        migrate(database, packages=_SCHEMA)
    assert str(caught.value) == (
        f"the store has schema 90 (0090_later.sql), newer than this hansei, which knows {newest}; upgrade hansei"
    )


def test_for_a_cluster() -> None:
    """On a cluster every object is made on all of it, and every table is replicated."""
    for migration in migrations(FEEDBACK + EVALUATION):
        sql = _for_cluster(migration.sql, "main")
        assert "ON CLUSTER 'main'" in sql
        assert sql.count("ENGINE = Replicated") == sql.count("ENGINE")


@pytest.fixture(scope="module")
def many(tables: Tables) -> str:
    """One of 10 000 traces with three assessments each, a tenth of them corrected or overriding."""
    tables.client.command(
        """
        INSERT INTO otel_logs (Timestamp, TraceId, SpanId, EventName, LogAttributes)
        SELECT toDateTime64('2026-03-01 00:00:00', 9, 'UTC') + number,
            lower(hex(sipHash128(intDiv(number % 30000, 3)))), '', 'gen_ai.evaluation.result', map(
                'gen_ai.evaluation.name', 'many', 'hansei.assessment.value', toString(number % 5),
                'hansei.assessment.id', concat('many-', toString(number % 30000)),
                'hansei.assessment.correction', if(number >= 30000, 'true', ''),
                'hansei.assessment.overrides', if(number % 30 = 1, concat('many-', toString(number - 1)), ''))
        FROM numbers(33000)
        """
    )
    trace: str = tables.rows("SELECT lower(hex(sipHash128(toUInt64(5000))))")[0][0]
    return trace


@pytest.mark.parametrize(
    "view", ["feedback", "feedback_as_of(at = '2026-03-01 06:00:00')", "feedback_history", "trace_feedback"]
)
def test_look_up_by_trace_does_not_scan(tables: Tables, many: str, view: str) -> None:
    """Every table behind a view is entered by the key, and read for a granule of each part."""
    plan = tables.plan(f"SELECT * FROM {view} WHERE TraceId = '{many}'")
    reads = plan.split("ReadFromMergeTree (default.")[1:]
    assert reads
    for read in reads:
        # What the last of the indexes has left, of the parts and of the granules that there are.
        (_, parts), (granules, _) = (re.findall(rf"{what}: (\d+)/(\d+)", read)[-1] for what in ("Parts", "Granules"))
        assert int(granules) <= 2 * int(parts), plan
    ((most,),) = tables.rows("SELECT max(marks) FROM system.parts WHERE active AND table = 'feedback_state'")
    assert most > 20


def test_names_are_searched_for_only_where_one_is_missing(tables: Tables, many: str) -> None:
    """The index on names lets a look-up pass over all that has a name."""
    plan = tables.plan("SELECT TraceId, Overrides FROM feedback_state WHERE Overrides != '' AND Name = ''")
    granules = re.findall(r"Granules: (\d+)/(\d+)", plan)
    # Other tests have left a few without one.
    assert int(granules[-1][0]) < int(granules[0][1])
