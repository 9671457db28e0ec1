"""The interactive SQL prompt: history, completion, one opening of the database a statement."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from logkit_analysis.cli import notes
from logkit_analysis.errors import AnalysisError

if TYPE_CHECKING:
    from collections.abc import Callable

    from logkit_analysis.cli.session import Session

_WORDS = (
    *("select", "from", "where", "group by", "order by", "limit", "having", "join", "using"),
    *("with", "as", "and", "or", "not", "null", "is", "in", "like", "between", "case", "when"),
    *("then", "else", "end", "distinct", "count", "sum", "avg", "min", "max", "quantile_cont"),
    *("describe", "explain", "summarize"),
)
_HISTORY_LINES = 1000
_LEAVE = frozenset({"exit", "quit", ".exit", ".quit", r"\q"})


def run_prompt(session: Session, run: Callable[[str], None]) -> None:
    """Ask for statements until Ctrl-D or ``exit``; errors are told and the prompt goes on.

    Args:
        session: The database to complete names from.
        run: Called with the text of each statement.
    """
    notes.note(f"{session.database}, read-only. End a statement with ; and leave with Ctrl-D.")
    history = _prepare_readline(session)
    try:
        while (statement := _read_statement()) is not None:
            _try(run, statement)
    finally:
        _save(history)


def _try(run: Callable[[str], None], statement: str) -> None:
    try:
        run(statement)
    except AnalysisError as error:
        notes.error(str(error))
    except KeyboardInterrupt:
        notes.note("interrupted")


def _read_statement() -> str | None:
    lines: list[str] = []
    while True:
        try:
            line = input("     > " if lines else "logkit> ")
        except EOFError:
            notes.note("")
            return None
        except KeyboardInterrupt:
            notes.note("")
            lines = []
            continue
        if not lines and line.strip().rstrip(";").lower() in _LEAVE:
            return None
        lines.append(line)
        if line.rstrip().endswith(";"):
            return "\n".join(lines)
        if not line.strip() and len(lines) == 1:
            lines = []


def _prepare_readline(session: Session) -> Path | None:
    try:
        import readline
    except ImportError:
        return None
    words = sorted({*_WORDS, *_names(session)})

    def complete(text: str, state: int) -> str | None:
        matches = [word for word in words if word.startswith(text)]
        return matches[state] if state < len(matches) else None

    readline.set_history_length(_HISTORY_LINES)
    readline.set_completer(complete)
    readline.parse_and_bind("tab: complete")
    return _read_history()


def _read_history() -> Path | None:
    """Return the file of earlier statements, which can be recalled now; ``None`` without one."""
    import readline

    state = Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser()
    history = state / "logkit" / "sql_history"
    try:
        history.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        history.touch(mode=0o600)
        readline.read_history_file(history)
    except OSError as error:
        notes.note(f"no history: {error}")
        return None
    return history


def _names(session: Session) -> list[str]:
    with session.reading() as connection:
        rows = connection.execute(
            "select table_name from duckdb_tables() union select column_name from duckdb_columns()"
            " union select function_name from duckdb_functions() where starts_with(function_name,"
            " 'lk_')"
        ).fetchall()
    return [str(name) for (name,) in rows]


def _save(history: Path | None) -> None:
    if history is None:
        return
    import readline

    try:
        readline.write_history_file(history)
    except OSError as error:
        notes.note(f"history not saved: {error}")
