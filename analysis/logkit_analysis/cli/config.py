"""``logkit config``: where each setting came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from logkit_analysis.cli.defaults import origin_of
from logkit_analysis.cli.options import (
    DEFAULT_DATABASE,
    DatabaseOption,
    Format,
    OutputOption,
    QueriesOption,
)
from logkit_analysis.cli.rows import choose_format, write_rows
from logkit_analysis.errors import UsageError

if TYPE_CHECKING:
    from logkit_analysis.cli.defaults import Origins

_UTC = ZoneInfo("UTC")
_AS_THEY_ARE = "As it stands in the settings, right or wrong."

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
    tz: Annotated[str, typer.Option("--tz", metavar="ZONE", help=_AS_THEY_ARE)] = "UTC",
    queries: QueriesOption = None,
    output_format: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help=_AS_THEY_ARE)
    ] = None,
    output: OutputOption = None,
) -> None:
    """Show each setting, its value and where it came from."""
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
    write_rows(result, choose_format(_format(context, output_format), output), output, _UTC)


def _format(context: typer.Context, name: str | None) -> Format | None:
    """Return the format called *name*; a wrong one in the settings is shown, not obeyed."""
    if name is None or name in set(Format):
        return Format(name) if name else None
    if origin_of(context, "output_format", "format") is None:
        raise UsageError(f"--format: {name!r} is not one of {', '.join(Format)}")
    return None


def _origin(context: typer.Context, name: str) -> str:
    source = context.get_parameter_source("output_format" if name == "format" else name)
    if source is not None and source.name == "COMMANDLINE":
        return f"--{name}"
    origins: Origins = context.find_root().obj
    place = origins.places.get(("config show", name))
    return place.origin if place else "default"
