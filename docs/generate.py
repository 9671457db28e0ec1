"""Write the reference pages from what they describe: ``python docs/generate.py [FOLDER]``.

Events come from the table in `logkit.schema`, queries from the headers of their files and
commands from their own ``--help``; a test compares the pages with what this script writes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from logkit_analysis.catalog import load_catalog
from logkit_analysis.cli.app import app

from logkit.metrics.table import METRICS, NONE, OVERFLOW, Metric
from logkit.schema import FIELDS, LEVELS, MAX_LINE_BYTES, SCHEMA_VERSION, Field

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from logkit_analysis.query_file import Parameter, QuerySpec

ROOT = Path(__file__).parents[1]

EVENTS = """# Events

An event is one flat JSON object on a line of its own: UTF-8, at most {max_bytes:,} bytes with its
newline. Only {required} are required; any other key may come along and is kept. The table is
`logkit/schema.py`, version {version}; `python -m logkit schema` prints it as JSON Schema.

Keys marked *envelope* are written by logkit: a bot's own key of that name is written as
`field_<name>`.

{fields}

The names are those of fields with the same meaning in OpenTelemetry's conventions and in the
Elastic Common Schema, whose `event.duration` is in nanoseconds.

## Levels

{levels}
"""

QUERIES = """# Canned queries

`logkit query NAME` runs one, `logkit query` lists them, `-p NAME=VALUE` sets a parameter. Every
query takes the time window from `--since`, `--until`, `--last` or `--around`; without them it
covers everything stored. Your own `.sql` files with a `-- @title` line in `./queries` or
`--queries DIR` behave the same.

{contents}

{queries}
"""

METRIC_PAGE = """# Metrics

What `/metrics` shows of a bot with `configure(signals_port=...)`, beside prometheus-client's own
metrics of the process (`process_*`, `python_*`) and those that the bot keeps itself. The table is
`logkit/metrics/table.py`. A metric has no series before something was counted.

Labels in *italics* are open: beyond {most} combinations (100 for histograms) their values are
counted as `{overflow}`, and `logkit_metric_overflows_total` grows. A label for which the event has
no field is `{none}`. Where several processes are shown as one, the last column says how.

{metrics}
"""

COMMANDS = """# Commands

Data goes to stdout, everything said about it to stderr. A setting is looked for in the flags,
then in `LOGKIT_*` variables, then in `./logkit.toml`, then in
`$XDG_CONFIG_HOME/logkit/config.toml`; `logkit config show` tells where each one came from.

| exit code | meaning |
|---|---|
| 0 | fine, also where lines were rejected |
| 1 | failure: a path is missing or unreadable, the database cannot be used |
| 2 | the command was called with words that it cannot take |
| 10 | a threshold is crossed |
| 130 | Ctrl-C |

{commands}
"""


def main(folder: Path) -> None:
    """Write every reference page into *folder*."""
    pages = {
        "events.md": _events(),
        "queries.md": _queries(),
        "commands.md": _commands(),
        "metrics.md": _metrics(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (folder / name).write_text(text.strip() + "\n", encoding="utf-8")


def _events() -> str:
    required = [f"`{field.name}`" for field in FIELDS if field.is_required]
    return EVENTS.format(
        max_bytes=MAX_LINE_BYTES,
        version=SCHEMA_VERSION,
        required=f"{', '.join(required[:-1])} and {required[-1]}",
        fields=_table(
            ("field", "JSON type", "meaning", "OpenTelemetry", "ECS", "DuckDB column"),
            (
                (
                    _code(f.name),
                    f.type,
                    _meaning(f),
                    _code(f.otel or ""),
                    _code(f.ecs or ""),
                    _code(f.duckdb),
                )
                for f in FIELDS
            ),
        ),
        levels=_table(
            ("level", "OpenTelemetry severity number"),
            ((_code(name), str(number)) for name, number in LEVELS.items()),
        ),
    )


def _meaning(field: Field) -> str:
    notes = [field.meaning]
    if field.enum:
        notes.append(f"one of {', '.join(field.enum)}")
    if field.is_required:
        notes.append("*required*")
    if field.is_envelope:
        notes.append("*envelope*")
    return "; ".join(notes)


def _metrics() -> str:
    return METRIC_PAGE.format(
        most=max(metric.max_series for metric in METRICS),
        overflow=OVERFLOW,
        none=NONE,
        metrics=_table(
            ("metric", "kind", "labels", "meaning", "fed by", "unit", "of several processes"),
            (
                (
                    _code(metric.name),
                    metric.kind,
                    ", ".join(_label(metric, name) for name in metric.labels),
                    metric.help,
                    metric.fed_by,
                    metric.unit,
                    metric.merge if metric.kind == "gauge" else "sum",
                )
                for metric in METRICS
            ),
        ),
    )


def _label(metric: Metric, name: str) -> str:
    return _code(name) if name in metric.closed else f"*{name}*"


def _queries() -> str:
    specs = load_catalog([ROOT / "queries"]).queries.values()
    return QUERIES.format(
        contents=_table(
            ("query", "question"), ((f"[{s.name}](#{s.name})", s.question) for s in specs)
        ),
        queries="\n\n".join(_query(spec) for spec in specs),
    )


def _query(spec: QuerySpec) -> str:
    parts = [f"## {spec.name}", f"{spec.title}. *{spec.question}*", spec.method]
    own = [parameter for parameter in spec.parameters if parameter.name not in {"since", "until"}]
    if own:
        parts.append(
            _table(
                ("parameter", "type", "default", "meaning"),
                ((_code(p.name), p.type, _default(p), p.meaning) for p in own),
            )
        )
    parts.append(
        _table(("column", "meaning"), ((_code(n), text) for n, text in spec.columns.items()))
    )
    if spec.plot is not None:
        parts.append(f"`--plot` draws `{spec.plot}`, `--column NAME` another number.")
    return "\n\n".join(part for part in parts if part)


def _default(parameter: Parameter) -> str:
    return "required" if parameter.is_required else _code(str(parameter.default))


def _commands() -> str:
    names = [[], *_command_paths(typer.main.get_command(app))]
    return COMMANDS.format(commands="\n\n".join(_command(words) for words in names))


def _command_paths(command: object) -> Iterator[list[str]]:
    for name, child in sorted(getattr(command, "commands", {}).items()):
        paths = list(_command_paths(child))
        yield from ([name, *path] for path in paths or [[]])


def _command(words: list[str]) -> str:
    name = " ".join(["logkit", *words])
    with tempfile.TemporaryDirectory() as nowhere:
        done = subprocess.run(
            [str(Path(sys.executable).with_name("logkit")), *words, "--help"],
            cwd=nowhere,
            env={"PATH": os.defpath, "HOME": nowhere, "COLUMNS": "100", "LANG": "C.UTF-8"},
            capture_output=True,
            check=True,
            text=True,
        )
    text = "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())
    return f"## {name}\n\n```text\n{text}\n```"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "docs" / "reference")
