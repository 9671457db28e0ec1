"""``logkit query``: canned queries, listed and run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from logkit_analysis.cli import notes, plot
from logkit_analysis.cli.options import (
    DEFAULT_DATABASE,
    AroundOption,
    DatabaseOption,
    Format,
    FormatOption,
    LastOption,
    OutputOption,
    QueriesOption,
    SinceOption,
    TimeZoneOption,
    UntilOption,
    WindowOption,
)
from logkit_analysis.cli.plot import ColumnOption, PlotOption
from logkit_analysis.cli.rows import choose_format, write_rows
from logkit_analysis.cli.session import open_session, resolved_window, tell_window, time_flags
from logkit_analysis.cli.windows import why_empty
from logkit_analysis.errors import AnalysisError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from logkit_analysis.catalog import Catalog
    from logkit_analysis.cli.session import Session
    from logkit_analysis.query_file import QuerySpec
    from logkit_analysis.results import ResultSet
    from logkit_analysis.time_window import TimeFlags, Window

EPILOG = """\b
Examples:
  logkit query
  logkit query error_rate --last 1h -p bucket_seconds=300
  logkit query rate_limit_storms --since 2025-01-31T14:00 --tz Europe/Berlin
  logkit query latency_percentiles --format csv --output latency.csv
  logkit query error_rate --last 6h --plot
  logkit query --check --queries my-queries/

Times: 2h (ago), now, 14:00, yesterday, or ISO 8601; a window holds its start and not its end.
Your own .sql files with a `-- @title` line in ./queries or --queries DIR are queries too; how
to write one: docs/how-to/own-queries.md. --check tells what is wrong with one."""


def _complete_name(incomplete: str) -> list[str]:
    names = load_queries(None).queries
    return [name for name in names if name.startswith(incomplete)]


def query(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="Which query.", autocompletion=_complete_name)
    ] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", metavar="KEY=VALUE", help="A parameter of the query."),
    ] = None,
    is_raw: Annotated[
        bool, typer.Option("--raw", help="The rows behind the findings of a detector.")
    ] = False,
    is_check: Annotated[
        bool, typer.Option("--check", help="Check your own queries instead of running one.")
    ] = False,
    db: DatabaseOption = DEFAULT_DATABASE,
    since: SinceOption = None,
    until: UntilOption = None,
    last: LastOption = None,
    around: AroundOption = None,
    window: WindowOption = None,
    tz: TimeZoneOption = "UTC",
    output_format: FormatOption = None,
    output: OutputOption = None,
    queries: QueriesOption = None,
    is_plot: PlotOption = False,
    column: ColumnOption = None,
) -> None:
    """Run a canned query; without a name, list them."""
    from logkit_analysis.time_window import TimeFlags

    is_plot = is_plot or column is not None
    chosen = (
        plot.format_of(output_format, output) if is_plot else choose_format(output_format, output)
    )
    session = open_session(db, tz)
    if is_check:
        _check(name, queries, chosen, output, session)
        return
    catalog = load_queries(queries)
    if name is None and is_plot:
        raise UsageError("--plot draws a query; name one")
    if name is None:
        for problem in catalog.problems.values():
            notes.note(f"logkit: {problem}")
        write_rows(_listing(catalog, chosen), chosen, output, session.zone)
        return
    spec = catalog.find(name)
    flags = time_flags(context, TimeFlags(since, until, last, around, window))
    found = _run(session, spec, parameters or [], flags, is_raw=is_raw)
    if is_plot:
        drawing = plot.Drawing(name, column or spec.plot, found.step, found.window)
        plot.draw(found.rows, drawing, output, session.zone)
    else:
        write_rows(found.rows, chosen, output, session.zone)
    if chosen is Format.TABLE:
        tell_window(found.window, session, found.rejected_line_count)
    if found.why_empty is not None:
        notes.note(found.why_empty)


def load_queries(directory: Path | None) -> Catalog:
    """Return our queries and the user's own; those of *directory*, if given, win over ours.

    Raises:
        UsageError: *directory* is none.
    """
    from logkit_analysis.catalog import load_catalog
    from logkit_analysis.resources import queries_directory

    if directory is None:
        return load_catalog([queries_directory(), Path("queries")])
    if not directory.expanduser().is_dir():
        raise UsageError(f"--queries: no directory {directory}")
    return load_catalog([directory.expanduser(), queries_directory()])


def _check(
    name: str | None, directory: Path | None, chosen: Format, path: Path | None, session: Session
) -> None:
    """Check the user's own files, or the one called *name*; a problem is a failure."""
    from logkit_analysis.query_check import check_files
    from logkit_analysis.resources import queries_directory
    from logkit_analysis.results import Column, ResultSet

    own = (directory or Path("queries")).expanduser()
    files = sorted(file for file in own.glob("*.sql") if name in (None, file.stem))
    if not files:
        raise UsageError(f"no {name or '*'}.sql in {own}/; name your folder: --queries DIR")
    ours = queries_directory()
    is_hidden = directory is None and own.resolve() != ours.resolve()
    reserved = frozenset(file.stem for file in ours.glob("*.sql")) if is_hidden else frozenset()
    verdicts = check_files(files, reserved=reserved)
    lines = [
        (str(verdict.path), line)
        for verdict in verdicts
        for line in verdict.problems or ["fine" if verdict.is_query else "no -- @title: no query"]
    ]
    columns = (Column("file", "VARCHAR"), Column("verdict", "VARCHAR"))
    write_rows(ResultSet(columns, lines), chosen, path, session.zone)
    broken = sum(bool(verdict.problems) for verdict in verdicts)
    if broken:
        raise AnalysisError(f"{broken} of {len(files)} query files have a problem")


@dataclass(frozen=True, slots=True)
class _Found:
    """The answer of a query and what is to be said about it."""

    rows: ResultSet
    window: Window
    step: timedelta | None
    rejected_line_count: int
    why_empty: str | None


def _run(
    session: Session, spec: QuerySpec, parameters: list[str], flags: TimeFlags, *, is_raw: bool
) -> _Found:
    from logkit_analysis import engine, stored

    given = _parse_parameters(parameters)
    with session.reading() as connection:
        window = engine.counted_window(spec, resolved_window(connection, flags, session))
        values = engine.bind(spec, given, window, zone=session.zone, now=session.now)
        result = engine.run_query(connection, spec, values, is_raw=is_raw)
        rejects = stored.rejected_line_count(connection)
        why = None if result.rows else why_empty(connection, window, session, name=spec.name)
        return _Found(result, window, _step(values), rejects, why)


def _step(values: Mapping[str, object]) -> timedelta | None:
    """Return the width of a bucket, where the query has buckets."""
    from datetime import timedelta

    seconds = values.get("bucket_seconds")
    return timedelta(seconds=seconds) if isinstance(seconds, int) else None


def _parse_parameters(words: list[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for word in words:
        key, separator, value = word.partition("=")
        if not separator:
            raise UsageError(f"-p {word}: write -p KEY=VALUE")
        given[key.strip()] = value
    return given


def _listing(catalog: Catalog, chosen: Format) -> ResultSet:
    from logkit_analysis.results import Column, ResultSet

    rows = [
        {
            "name": spec.name,
            "title": spec.title,
            "question": spec.question or spec.title,
            "parameters": _signature(spec),
        }
        for spec in catalog.queries.values()
    ]
    # The question says more than the title, and a table has no room for both.
    names = ["name", "question", "parameters"]
    if chosen is not Format.TABLE:
        names.insert(1, "title")
    columns = tuple(Column(name, "VARCHAR") for name in names)
    return ResultSet(columns, [tuple(row[name] for name in names) for row in rows])


def _signature(spec: QuerySpec) -> str:
    own = [p for p in spec.parameters if p.name not in {"since", "until"}]
    return " ".join(p.name if p.is_required else f"{p.name}={_shown(p.default)}" for p in own)


def _shown(value: object) -> str:
    if value is None:
        return "null"
    return f"{value:g}" if isinstance(value, float) else str(value)
