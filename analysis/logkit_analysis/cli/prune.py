"""``logkit prune``: old rows out of the database."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from logkit_analysis.cli import notes
from logkit_analysis.cli.options import DEFAULT_DATABASE, DatabaseOption
from logkit_analysis.errors import AnalysisError

if TYPE_CHECKING:
    from pathlib import Path

EPILOG = """\b
Examples:
  logkit prune --older-than 30d --dry-run
  logkit prune --older-than 12h --db /var/lib/bot/logs.duckdb

DURATION counts back from now, not from the newest event.
What was read stays noted, so a later ingest does not bring the rows back. The database file is
written anew and becomes smaller; for that moment the disk holds both. A running follow waits.
Where no event would be left, a person at a terminal is asked first; a script is not."""


def prune(
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="DURATION", help="90m, 12h, 30d, 8w.")
    ],
    db: DatabaseOption = DEFAULT_DATABASE,
    is_dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")
    ] = False,
    is_sure: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask, even if no event would be left.")
    ] = False,
) -> None:
    """Delete rows older than a duration and shrink the database."""
    from logkit_analysis.store.retention import count_old
    from logkit_analysis.store.retention import prune as run
    from logkit_analysis.time_window import TimeError, parse_duration

    try:
        before = datetime.now(UTC) - parse_duration(older_than)
    except OverflowError as error:
        raise TimeError(f"{older_than!r} reaches back before the year 1") from error
    path = db.expanduser()
    if is_dry_run:
        old = count_old(path, before)
        every = "all " if old.is_all else ""
        notes.note(
            f"would remove {every}{old.events:,} events and {old.rejects:,} rejected lines from "
            f"before {before:%Y-%m-%d %H:%M}Z; nothing was changed"
        )
        return
    if not is_sure and sys.stdin.isatty() and sys.stderr.isatty():
        _ask(path, before)
    pruned = run(path, before=before, on_wait=notes.note)
    notes.note(
        f"removed {pruned.events:,} events and {pruned.rejects:,} rejected lines from before "
        f"{before:%Y-%m-%d %H:%M}Z; {pruned.bytes_before / 1e6:,.1f} MB became "
        f"{pruned.bytes_after / 1e6:,.1f} MB"
    )


def _ask(path: Path, before: datetime) -> None:
    """Let a person confirm that no event shall be left.

    Raises:
        AnalysisError: It shall not be.
    """
    from logkit_analysis.store.retention import count_old

    old = count_old(path, before)
    question = f"All {old.events:,} events are from before {before:%Y-%m-%d %H:%M}Z. Remove them?"
    if old.is_all and not typer.confirm(question, err=True):
        raise AnalysisError("nothing was removed")
