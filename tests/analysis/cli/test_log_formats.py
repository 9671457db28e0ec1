from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.analysis.cli.conftest import Cli

LINE = "<10:00 19.03.2026> warn: too slow\n"
OWN = """
[formats.mine]
pattern = '<(?P<timestamp>[^>]*)> (?P<level>\\w+): (?P<message>.*)'
time_format = "%H:%M %d.%m.%Y"
samples = ["<10:00 19.03.2026> warn: too slow"]
"""
PYTHON = "2026-03-19 10:00:00,123 - bot - INFO - all set\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, which is empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_choice_is_told(cli: Cli, folder: Path) -> None:
    """What is not plain JSON is named on stderr, and how sure that is."""
    (folder / "bot.log").write_text(PYTHON * 3)
    (folder / "odd.log").write_text("what is this\n")
    (folder / "app.log").write_text('{"message":"all set"}\n')
    answer = cli("ingest", "bot.log", "odd.log", "app.log")
    assert answer.code == 0
    assert "bot.log: read as python-dash (100% sure: 3 of 3 sampled lines)" in answer.stderr
    assert "odd.log: no format that we know; lines that are no JSON are rejected" in answer.stderr
    assert "app.log" not in answer.stderr
    assert not answer.stdout


def test_the_format_is_asked_for(cli: Cli, folder: Path) -> None:
    """A format by name is taken for all files; a name that nothing has is a usage error."""
    (folder / "bot.log").write_text(PYTHON)
    answer = cli("ingest", "bot.log", "--format", "json")
    assert "1 line rejected (1 invalid_json)" in answer.stderr
    answer = cli("ingest", "bot.log", "--format", "jsno")
    assert answer.code == 2
    assert answer.stderr == "logkit: no log format named 'jsno'; did you mean 'json'?\n"


def test_ones_own_format(cli: Cli, folder: Path) -> None:
    """A pattern in logkit.toml is a format like any other."""
    (folder / "logkit.toml").write_text(OWN)
    (folder / "bot.log").write_text(LINE * 3)
    answer = cli("ingest", "bot.log")
    assert "bot.log: read as mine (100% sure: 3 of 3 sampled lines)" in answer.stderr
    assert "unknown setting" not in answer.stderr
    (row, *_) = cli("sql", "select level, message from events", "--format", "json").rows
    assert row == {"level": "warning", "message": "too slow"}


def test_a_sample_that_does_not_match(cli: Cli, folder: Path) -> None:
    """A mistake in a pattern is one line, before anything is read."""
    (folder / "logkit.toml").write_text(OWN.replace("too slow", "\\u0000", 1).replace(">", "", 2))
    (folder / "bot.log").write_text(LINE)
    answer = cli("ingest", "bot.log")
    assert answer.code == 2
    assert answer.stderr.startswith("logkit: ./logkit.toml [formats.mine]: ")
    assert answer.stderr.count("\n") == 1
    assert not (folder / "logkit.duckdb").exists()
