"""The tables of the store, and the steps that bring an older file up to date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logkit.schema import FIELDS
from logkit_analysis.store.transactions import transaction

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema: the version that it leads to and its statements."""

    version: int
    statements: tuple[str, ...]


def _events_table() -> str:
    columns = ",\n    ".join(f"{field.name} {field.duckdb}" for field in FIELDS)
    return f"""
create table events (
    {columns},
    fields json,
    source_id bigint not null,
    source_offset bigint not null,
    source_file varchar not null,
    ingested_at timestamptz not null
)"""


# No primary key on events: uniqueness comes from the positions, and DuckDB's ART indexes
# cost a multiple of the insert itself.
MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        1,
        (
            """
create table schema_version (
    version integer not null,
    applied_at timestamptz not null
)""",
            _events_table(),
            """
create table quarantine (
    source_id bigint not null,
    source_file varchar not null,
    source_offset bigint not null,
    reason varchar not null,
    raw blob not null,
    ingested_at timestamptz not null
)""",
            """
create table sources (
    source_id bigint not null,
    path varchar not null,
    device bigint not null,
    inode bigint not null,
    head blob not null,
    first_seen_at timestamptz not null
)""",
            # Never updated in place: what is committed is what was read, and only a stream's
            # older intervals are put together, whose checksums join.
            """
create table source_intervals (
    source_id bigint not null,
    start_offset bigint not null,
    end_offset bigint not null,
    crc32 bigint not null,
    tail blob not null,
    run_id bigint not null,
    committed_at timestamptz not null
)""",
            "create sequence source_ids",
            "create sequence run_ids",
            """
create table ingest_runs (
    run_id bigint not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    files bigint not null,
    rows bigint not null,
    rejects bigint not null,
    seconds double not null
)""",
        ),
    ),
    # What a stream was found to be at its start; NULL until that is decided.
    Migration(2, ("alter table sources add column format varchar",)),
)

SCHEMA_VERSION = MIGRATIONS[-1].version


def current_version(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the schema version of the open database, 0 for one without our tables."""
    has_table = connection.execute(
        "select count(*) from duckdb_tables() where table_name = 'schema_version'"
    ).fetchall()
    if not has_table[0][0]:
        return 0
    rows = connection.execute("select max(version) from schema_version").fetchall()
    return int(rows[0][0] or 0)


def migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring the open database to `SCHEMA_VERSION`, all steps in one transaction."""
    found = current_version(connection)
    pending = [step for step in MIGRATIONS if step.version > found]
    if not pending:
        return
    with transaction(connection):
        for step in pending:
            for statement in step.statements:
                connection.execute(statement)
            connection.execute("insert into schema_version values ($1, now())", [step.version])
