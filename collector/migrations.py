"""The schema: numbered SQL files, applied once each, in order, and recorded in the store itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from hansei.collector.errors import StoreError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

SCHEMA = ("hansei.collector.schema",)
"""The packages of the collector's own schema. What is built on the collector names its own after them: each counts from
a hundred of its own (0001, 0101, …), and all are one sequence."""

_RECORD = """
CREATE TABLE IF NOT EXISTS hansei_schema /*ON CLUSTER*/
(
    Version   UInt32,
    Name      String,
    AppliedAt DateTime64(3) DEFAULT now64(3)
)
ENGINE = /*Replicated*/MergeTree
ORDER BY Version
"""


@dataclass(frozen=True)
class Migration:
    """One file of the schema."""

    version: int
    name: str
    sql: str


def migrations(packages: Sequence[str] = SCHEMA) -> Iterator[Migration]:
    """The schema's files, in order."""
    found = [file for package in packages for file in files(package).iterdir()]
    for file in sorted(found, key=lambda file: file.name):
        if file.name.endswith(".sql"):
            yield Migration(int(file.name[:4]), file.name, file.read_text().rstrip().rstrip(";"))


def migrate(client: "Client", cluster: str | None = None, packages: Sequence[str] = SCHEMA) -> list[str]:
    """Apply what is missing of the schema to the client's database; answers the names of the files applied.

    ``cluster``: the name of a cluster in ``system.clusters``; objects are then made on all of it, with
    replicated tables. ``packages``: those that hold the schema's files. Every statement is ``IF NOT EXISTS``, so
    that two collectors may do this at once and an interrupted run is taken up again. Raises :class:`StoreError`
    where the store's schema is newer than this program.
    """
    known = list(migrations(packages))
    versions = {migration.version for migration in known}
    client.command(_for_cluster(_RECORD, cluster))
    applied = {row[0]: row[1] for row in client.query("SELECT Version, Name FROM hansei_schema").result_rows}
    newer = max(applied.keys() - versions, default=None)
    if newer is not None:
        newest = max((version for version in versions if version < newer), default=0)
        raise StoreError(
            f"the store has schema {newer} ({applied[newer]}), newer than this hansei, which knows {newest}; "
            "upgrade hansei"
        )
    done = []
    for migration in known:
        if migration.version not in applied:
            client.command(_for_cluster(migration.sql, cluster))
            client.command(
                "INSERT INTO hansei_schema (Version, Name) SELECT {version:UInt32}, {name:String}",
                {"version": migration.version, "name": migration.name},
            )
            done.append(migration.name)
    return done


def _for_cluster(sql: str, cluster: str | None) -> str:
    if cluster is None:
        return sql
    quoted = "'" + cluster.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return sql.replace("/*ON CLUSTER*/", f"ON CLUSTER {quoted}").replace("/*Replicated*/", "Replicated")
