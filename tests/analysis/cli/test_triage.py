"""``logkit triage``: one screen, in a terminal, in a pipe and as JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from logkit_analysis.store.database import writing

if TYPE_CHECKING:
    from pathlib import Path

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
    """A triage is no table of rows; what it can be is said in plain words."""
    answer = cli("triage", "--format", "csv")
    assert answer.code == 2
    assert "Invalid value for '--format': 'csv' is not one of 'table', 'json'" in answer.stderr


def test_answers_of_ours_are_no_calls_to_the_platform(cli: Any, store: Path) -> None:
    """Requests that others made to us and that failed speak against us."""
    with writing(store) as connection:
        connection.execute("update events set event = 'request_handled' where status_code = 500")
    text = " ".join(cli("triage").text.split())
    assert "platform 0 server errors and 0 timeouts in 9 calls" in text
    assert "1 requests answered with 500 or above" in text


def test_a_trouble_is_drawn_with_its_start_and_end(cli: Any, store: Path) -> None:
    """A line tells how the metric went over the window, in the zone; JSON has its values."""
    start = datetime(2026, 1, 31, 9, 4, tzinfo=UTC)
    with writing(store) as connection:
        for i in range(20):
            connection.execute(
                "insert into events (timestamp, service, event, endpoint, method, status_code,"
                " source_id, source_offset, source_file, ingested_at)"
                " values ($1, 'bot', 'api_call', '/b', 'GET', 429, 1, $2, 'bot.log', $1)",
                [start + timedelta(seconds=i), 1_000 + i],
            )
    text = cli("triage", "--tz", "Asia/Kolkata").text
    (line,) = [line for line in text.splitlines() if "peak" in line]
    assert line.split()[0] == "14:30"
    assert line.count("│") == 2
    assert "│█" in line
    assert line.endswith("14:39  peak 4")
    assert "█       GET /b (bot)" in text
    (trouble,) = cli("triage", "--format", "json").rows["troubles"]
    assert max(filter(None, trouble["course"])) == 4
