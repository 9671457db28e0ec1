"""The formats of logs: the option, the user's own from the settings files, what was chosen."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from logkit_analysis.cli import notes
from logkit_analysis.settings import load_layers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logkit_analysis.parsers.choice import Choice
    from logkit_analysis.parsers.text.formats import TextFormat

AUTO = "auto"
_MOST_SHOWN = 8

_HELP = "json, python, apache, syslog, logfmt, cri:json ...; auto tells each file by its content."
FORMAT_OPTION = typer.Option("--log-format", "--format", metavar="NAME", help=_HELP)
LogFormatOption = Annotated[str, typer.Option("--log-format", metavar="NAME", help=_HELP)]


def own_formats() -> list[TextFormat]:
    """Return the formats of the settings files, the nearest file's first.

    Raises:
        OwnFormatError: One is not what it should be.
    """
    from logkit_analysis.parsers.text.own import own_format

    found: dict[str, TextFormat] = {}
    for layer in load_layers(os.environ, Path.cwd()):
        tables = layer.values.get("formats")
        for name, table in tables.items() if isinstance(tables, dict) else ():
            if name not in found:
                found[name] = own_format(name, table, layer.origin)
    return list(found.values())


def say_choices(choices: Mapping[str, Choice]) -> None:
    """Say on stderr which files are not plain JSON lines, what they are and how sure that is."""
    told = [(path, choice) for path, choice in choices.items() if choice.name != "json"]
    for path, choice in told[:_MOST_SHOWN]:
        notes.note(f"{path}: {choice.described()}")
    if len(told) > _MOST_SHOWN:
        notes.note(f"... and {len(told) - _MOST_SHOWN:,} more that are not plain JSON lines")
