"""``logkit config``: where each setting came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from logkit_analysis.cli import output
from logkit_analysis.cli.options import (
    DEFAULT_DATABASE,
    DatabaseOption,
    Format,
    FormatOption,
    QueriesOption,
    TimeZoneOption,
)

if TYPE_CHECKING:
    from logkit_analysis.cli.defaults import Origins

app = typer.Typer(no_args_is_help=True, help="The settings in force.")

_EPILOG = """\b
Example:
  logkit config show

Flags win over LOGKIT_* variables, these over ./logkit.toml, and that over
$XDG_CONFIG_HOME/logkit/config.toml."""


@app.command(epilog=_EPILOG)
def show(
    context: typer.Context,
    db: DatabaseOption = DEFAULT_DATABASE,
    tz: TimeZoneOption = "UTC",
    queries: QueriesOption = None,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Show each setting, its value and where the value came from."""
    values = {"db": db, "tz": tz, "queries": queries, "format": output_format}
    for name, value in values.items():
        output.write_text(f"{name} = {value}  ({_source(context, name)})\n")


def _source(context: typer.Context, name: str) -> str:
    source = context.get_parameter_source("output_format" if name == "format" else name)
    origins: Origins = context.find_root().obj
    if source is not None and source.name == "COMMANDLINE":
        return f"--{name}"
    return origins.places.get(("config show", name), "default")
