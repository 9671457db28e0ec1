from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

import logkit
from logkit import schema
from logkit.__main__ import main
from logkit.testing import SchemaViolationError, capture_events, violations

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Events = Callable[[], list[dict[str, Any]]]

VALIDATOR = jsonschema.Draft202012Validator(schema.json_schema())
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, 0, -1, 5, 2**70, 1.0, 1.5, -2.5, [], {}),
        *("", "info", "text", "0" * 32, "a" * 16, "a" * 32, "id with space", "none", "banned"),
        *("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123456Z", "2026-01-01 00:00:00"),
    ]
)
REQUIRED = {
    "timestamp": "2026-01-01T00:00:00.5Z",
    "level": "info",
    "service": "bot",
    "event": "started",
}


@given(
    st.dictionaries(st.sampled_from([*schema.FIELDS_BY_NAME, "other"]), VALUES),
    st.sets(st.sampled_from(sorted(REQUIRED))),
)
def test_the_helper_agrees_with_the_json_schema(fields: dict[str, Any], left_out: set[str]) -> None:
    """violations() finds fault with exactly those events that a JSON Schema validator refuses."""
    event = {**{k: v for k, v in REQUIRED.items() if k not in left_out}, **fields}
    assert (violations(event) == []) == VALIDATOR.is_valid(event)


def test_captured_events_reach_no_file(events: Events) -> None:
    """Inside the block nothing is written; afterwards everything is as before."""
    with capture_events() as captured:
        logkit.get_logger("bot").info("captured")
        structlog.get_logger("bot").info("captured")
        logging.getLogger("bot").info("captured")
    logkit.get_logger("bot").info("written")
    assert [event["event"] for event in captured] == ["captured"] * 3
    assert [event["event"] for event in events()] == ["written"]


def test_capture_works_without_configure_and_leaves_nothing_behind() -> None:
    """A test of a library need not configure anything; levels and handlers are restored."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level, structlog.is_configured())
    with capture_events() as captured:
        logkit.get_logger("bot").info("captured")
        logging.getLogger("bot").info("captured")
    logkit.get_logger("bot").debug("ignored")
    assert len(captured) == 2
    assert (list(root.handlers), root.level) == before[:2]


def test_an_event_that_breaks_the_schema_fails_the_test() -> None:
    """A wrong type or a value outside the enum is told at the end of the block."""
    problem = "status_code is 'teapot', not of type integer"
    with pytest.raises(SchemaViolationError, match=problem), capture_events():
        logkit.get_logger("bot").info("api_call", status_code="teapot")


def test_assert_event_finds_by_name_and_fields() -> None:
    """assert_event returns the event; without one it tells what was logged instead."""
    with capture_events() as captured:
        logkit.get_logger("bot").info("api_call", status_code=200)
        logkit.get_logger("bot").info("api_call_failed", status_code=429)
    assert captured.assert_event("api_call_failed", status_code=429)["level"] == "info"
    with pytest.raises(AssertionError, match=r"'status_code': 429"):
        captured.assert_event("api_call_failed", status_code=500)


def test_the_fixture_logs_captures(tmp_path: Path) -> None:
    """The pytest fixture needs no import; a violated schema is an error of the test."""
    (tmp_path / "test_bot.py").write_text(
        "import logkit\n"
        "def test_good(logs):\n"
        "    logkit.get_logger('bot').info('api_call', status_code=429)\n"
        "    logs.assert_event('api_call', status_code=429)\n"
        "def test_bad(logs):\n"
        "    logkit.get_logger('bot').info('api_call', status_code='x')\n"
    )
    plugin = ["-p", "logkit.pytest_plugin", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugin, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    assert "2 passed, 1 error" in run.stdout
    assert "SchemaViolationError" in run.stdout


def test_the_module_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """``python -m logkit schema`` prints the JSON Schema of an event."""
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schema.json_schema()
