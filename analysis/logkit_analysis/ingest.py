"""Files into the store, once: what is new in each of them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from logkit_analysis.intake import PARSER_THREADS, Intake
from logkit_analysis.parsers.chunk_parser import ChunkParser
from logkit_analysis.parsers.line_limit import MAX_LINE_BYTES
from logkit_analysis.parsers.text.layout import FormatTable
from logkit_analysis.sources.discovery import discover, originals_first
from logkit_analysis.store.database import free_stored_blocks, writing
from logkit_analysis.store.locks import Locks
from logkit_analysis.store.writer import StoreWriter, begin_run, known_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

    import duckdb

    from logkit_analysis.intake import Commit, IngestReport, Progress
    from logkit_analysis.parsers.text.formats import TextFormat
    from logkit_analysis.sources.discovery import LogFile
    from logkit_analysis.store.writer import Part
    from logkit_analysis.streams import LogStream

# What DuckDB keeps of so many rows is more than giving it back costs.
_MOST_CACHED_ROWS = 100_000


def ingest(
    database: Path,
    arguments: Sequence[str],
    *,
    zone: tzinfo,
    progress: Progress,
    on_wait: Callable[[str], None],
    only_format: str | None = None,
    own_formats: Sequence[TextFormat] = (),
    max_line_bytes: int = MAX_LINE_BYTES,
) -> IngestReport:
    """Read what is new in the files that *arguments* name into *database*.

    Args:
        database: The database file; created if it is not there.
        arguments: Files, folders, globs, or ``-``.
        zone: Zone of times that name none.
        progress: Told about sizes and commits.
        on_wait: Told, in one line, whom we wait for.
        only_format: Name of the format of all files; ``None`` to tell each by its content.
        own_formats: Formats besides ours.
        max_line_bytes: A longer line goes to quarantine whole.

    Raises:
        UnknownFormatError: *only_format* is no name of a format.
        PathUnusableError: A named path is missing, unreadable or holds no log; nothing is read.
        DatabaseUnusableError: *database* is no database of ours.
    """
    parser = ChunkParser(
        zone,
        table=FormatTable(own_formats),
        only_format=only_format,
        max_line_bytes=max_line_bytes,
    )
    files = discover(arguments)
    with (
        Locks(database, on_wait=on_wait).sole_writer("logkit ingest"),
        writing(database, on_wait=on_wait) as connection,
        ThreadPoolExecutor(PARSER_THREADS, "logkit-parser") as pool,
    ):
        started = time.monotonic()
        writer = StoreWriter(connection, begin_run(connection))
        streams = known_streams(connection)
        intake = Intake(_thrifty(writer, connection), parser, streams, progress, pool)
        progress.total(len(files), _total_bytes(files))
        ordered = originals_first([file.path for file in files])
        place = {path: number for number, path in enumerate(ordered)}
        for file in sorted(files, key=lambda file: place[file.path]):
            intake.read(file)
        report = intake.report
        report.seconds = time.monotonic() - started
        writer.finish(report.files, report.seconds)
    return report


def _thrifty(writer: StoreWriter, connection: duckdb.DuckDBPyConnection) -> Commit:
    """Return *writer*'s commit, which gives memory back now and then."""
    row_count = 0

    def commit(parts: Sequence[Part], moved: Sequence[LogStream] = ()) -> None:
        nonlocal row_count
        writer.commit(parts, moved)
        row_count += sum(part.batch.row_count for part in parts)
        if row_count >= _MOST_CACHED_ROWS:
            free_stored_blocks(connection)
            row_count = 0

    return commit


def _total_bytes(files: Sequence[LogFile]) -> int | None:
    if any(file.is_stream for file in files):
        return None
    return sum(_size(file.path) for file in files)


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        # Rotated away since it was found; reading it will tell.
        return 0
