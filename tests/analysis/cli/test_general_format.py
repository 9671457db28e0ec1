"""A format in the settings is for all commands: each takes what fits it, a flag must fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("store")


@pytest.mark.parametrize(
    ("words", "form"),
    [(("triage",), "csv"), (("usage",), "jsonl"), (("report", "-o", "x.html"), "json")],
)
def test_a_format_that_is_none_of_a_command_is_ignored(
    cli: Any, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], form: str
) -> None:
    """From the environment or a file it says nothing; typed, or for the command alone, it does."""
    plain = cli(*words)
    monkeypatch.setenv("LOGKIT_FORMAT", form)
    answer = cli(*words)
    assert (answer.code, answer.text) == (0, plain.text)
    assert cli(*words, "--format", form).code == 2
    monkeypatch.delenv("LOGKIT_FORMAT")
    Path("logkit.toml").write_text(f'[{words[0]}]\nformat = "{form}"\n')
    refused = cli(*words)
    assert refused.code == 2
    assert f"./logkit.toml: format: '{form}' is not one of " in refused.stderr


def test_a_format_that_fits_is_taken(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON fits a triage, markdown a report, html no query."""
    monkeypatch.setenv("LOGKIT_FORMAT", "json")
    assert cli("triage").rows["state"] == "ok"
    monkeypatch.setenv("LOGKIT_FORMAT", "markdown")
    cli("report", "-o", "x")
    assert Path("x").read_text().startswith("# ")
    monkeypatch.setenv("LOGKIT_FORMAT", "html")
    assert cli("query", "error_rate").text.startswith("bucket_at (UTC) ")


def test_what_is_typed_wins(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The suffix of an output, --plot and --raw need no --format to be heard."""
    monkeypatch.setenv("LOGKIT_FORMAT", "json")
    cli("sql", "select 1 as x", "-o", "x.csv")
    assert Path("x.csv").read_text() == "x\n1\n"
    cli("sql", "select 1 as x", "-o", "x.txt")
    assert Path("x.txt").read_text() == '[\n{"x":1}\n]\n'
    assert cli("query", "error_rate", "--plot").text.startswith("error_ratio by service")
    assert cli("rejects", "--raw", "-o", "raw.bin").code == 0
    assert cli("rejects", "--raw", "--format", "json").code == 2


def test_a_word_that_no_command_takes_is_told(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip of the pen is no format of another command."""
    monkeypatch.setenv("LOGKIT_FORMAT", "cvs")
    answer = cli("triage")
    assert answer.code == 2
    assert answer.stderr.startswith("logkit: LOGKIT_FORMAT: 'cvs' is not one of 'table', 'json'")
