"""A real ``logkit sql`` without text, in a real terminal: its prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logkit_analysis.store.database import writing

from tests.e2e.following import LOGKIT
from tests.e2e.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path


def prompting(folder: Path) -> Terminal:
    """Start the prompt in a terminal."""
    command = [LOGKIT, "sql", "--db", str(folder / "a.duckdb")]
    places = {name: str(folder) for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME")}
    return Terminal(command, folder, places)


def test_an_evening_at_the_prompt(tmp_path: Path) -> None:
    """Statements, errors, completion, Ctrl-C, a writer in between, and what is recalled later."""
    with writing(tmp_path / "a.duckdb"):
        pass
    with prompting(tmp_path) as terminal:
        terminal.sees("read-only", "logkit>")
        terminal.press("select 6 * 7", "enter", " as answer;", "enter")
        terminal.sees("answer", "42")
        terminal.press("select * from nowhere;", "enter")
        terminal.sees("no table nowhere")
        terminal.press("select count(*) as n from quaran", "\t", ";", "enter")
        terminal.sees("from quarantine", " n")
        with writing(tmp_path / "a.duckdb"):
            terminal.press("select 'never")
            terminal.sees("select 'never")
        terminal.press("ctrl-c")
        terminal.until(lambda: terminal.text.rstrip().endswith("logkit>"))
        terminal.press("exit", "enter")
        assert terminal.end() == 0
        assert "Traceback" not in terminal.text
    history = tmp_path / "logkit" / "sql_history"
    assert history.stat().st_mode & 0o077 == 0
    with prompting(tmp_path) as terminal:
        terminal.sees("logkit>")
        terminal.press("up", "up")
        terminal.sees("logkit> select count(*) as n from quarantine;")
