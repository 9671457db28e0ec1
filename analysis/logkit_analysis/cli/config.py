"""``logkit config``: where each setting came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from logkit_analysis.cli.options import (
    DEFAULT_DATABASE,
    DatabaseOption,
    FormatOption,
    OutputOption,
    QueriesOption,
    TimeZoneOption,
)
from logkit_analysis.cli.rows import choose_format, write_rows
from logkit_analysis.time_window import parse_zone

if TYPE_CHECKING:
    from logkit_analysis.cli.defaults import Origins

_EPILOG = """\b
Example:
  logkit config show

Flags win over LOGKIT_* variables, these over ./logkit.toml, and that over
$XDG_CONFIG_HOME/logkit/config.toml."""


app = typer.Typer(no_args_is_help=True, help="The settings in force.", epilog=_EPILOG)


@app.command(epilog=_EPILOG)
def show(
    context: typer.Context,
    db: DatabaseOption = DEFAULT_DATABASE,
    tz: TimeZoneOption = "UTC",
    queries: QueriesOption = None,
    output_format: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """Show each setting, its value and where the value came from."""
    from logkit_analysis.results import Column, ResultSet

    values = {"db": db, "tz": tz, "queries": queries, "format": output_format, "output": output}
    origins: Origins = context.find_root().obj
    rows: list[tuple[str | None, str, object, str]] = [
        (None, name, value, _origin(context, name)) for name, value in values.items()
    ]
    rows += [
        (command, name, place.value, place.origin)
        for (command, name), place in sorted(origins.places.items())
        if name not in values
    ]
    names = ("command", "setting", "value", "source")
    shown = [tuple(None if cell is None else str(cell) for cell in row) for row in rows]
    result = ResultSet(tuple(Column(name, "VARCHAR") for name in names), shown)
    write_rows(result, choose_format(output_format, output), output, parse_zone(tz))


def _origin(context: typer.Context, name: str) -> str:
    source = context.get_parameter_source("output_format" if name == "format" else name)
    if source is not None and source.name == "COMMANDLINE":
        return f"--{name}"
    origins: Origins = context.find_root().obj
    place = origins.places.get(("config show", name))
    return place.origin if place else "default"
