"""``logkit triage``: one screen, in a terminal, in a pipe and as JSON."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("store")


def test_a_quiet_store_is_ok_and_told_on_one_screen(cli: Any) -> None:
    """Nothing broken is said plainly; the text holds no escape sequences."""
    answer = cli("triage")
    assert answer.code == 0
    assert answer.text.startswith("OK ")
    assert "\x1b" not in answer.text
    lines = answer.text.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 100
    assert "until" in answer.stderr


def test_three_commands_come_next(cli: Any) -> None:
    """What to run next are commands that run."""
    commands = cli("triage", "--format", "json").rows["next_commands"]
    assert len(commands) == 3
    for command in commands:
        assert cli(*command.split()[1:]).code == 0


def test_json_holds_everything(cli: Any) -> None:
    """The same findings as one object."""
    found = cli("triage", "--format", "json").rows
    assert (found["state"], found["troubles"]) == ("ok", [])
    assert found["rejected_line_count"] == 3
    assert found["sides"][0]["service"] == "bot"


def test_a_window_without_events_says_so(cli: Any) -> None:
    """No data is not good news."""
    answer = cli("triage", "--since", "2020-01-01", "--until", "2020-01-02")
    assert answer.text.startswith("NO DATA")


def test_other_formats_are_refused(cli: Any) -> None:
    """A triage is no table of rows."""
    assert cli("triage", "--format", "csv").code == 2
