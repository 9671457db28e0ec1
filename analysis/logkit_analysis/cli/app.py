"""The Typer app: every command, one line each."""

from __future__ import annotations

from typing import Annotated

import typer

from logkit_analysis.cli import (
    compare,
    config,
    demo,
    doctor,
    export,
    follow,
    ingest,
    output,
    patterns,
    prune,
    query,
    rejects,
    report,
    sql,
    tail,
    trace,
    triage,
    usage,
)
from logkit_analysis.cli.defaults import apply_settings

_EPILOG = """\b
Examples:
  logkit demo
  logkit ingest logs/ && logkit query error_rate --last 1h
  logkit sql "select level, count(*) from events group by level"

--debug, anywhere, shows the traceback of an error."""

app = typer.Typer(
    name="logkit",
    help="What broke, since when and why: bot logs in, answers out.",
    epilog=_EPILOG,
    # Typer's rich help alone costs more CPU than the whole of ours.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        output.write_text(f"logkit {version('botlogkit')}\n")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - its callback ends the command
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    apply_settings(context)


app.command(epilog=demo.EPILOG)(demo.demo)
app.command(epilog=ingest.EPILOG)(ingest.ingest)
app.command(epilog=follow.EPILOG)(follow.follow)
app.command(epilog=tail.EPILOG)(tail.tail)
app.command(epilog=sql.EPILOG)(sql.sql)
app.command(epilog=query.EPILOG)(query.query)
app.command(epilog=triage.EPILOG)(triage.triage)
app.command(epilog=report.EPILOG)(report.report)
app.command(epilog=compare.EPILOG)(compare.compare)
app.command(epilog=patterns.EPILOG)(patterns.patterns)
app.command(epilog=trace.EPILOG)(trace.trace)
app.command(epilog=usage.EPILOG)(usage.usage)
app.command(epilog=doctor.EPILOG)(doctor.doctor)
app.command(epilog=rejects.EPILOG)(rejects.rejects)
app.command(epilog=export.EPILOG)(export.export)
app.command(epilog=prune.EPILOG)(prune.prune)
app.add_typer(config.app, name="config")
