from __future__ import annotations

import json
import logging
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import structlog

import logkit
from logkit import schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Events = Callable[[], list[dict[str, Any]]]

FIELDS: dict[str, Any] = {"endpoint": "/users", "status_code": 200, "user_id": "42"}


def log_three_ways(name: str, level: str, text: str, *args: object, **fields: Any) -> None:
    getattr(logkit.get_logger(name), level)(text, *args, **fields)
    getattr(structlog.get_logger(name), level)(text, *args, **fields)
    exc_info = fields.pop("exc_info", level == "exception")
    logging.getLogger(name).log(
        logging.ERROR if level == "exception" else getattr(logging, level.upper()),
        text,
        *args,
        extra=fields,
        exc_info=exc_info,
    )


def without(event: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in names}


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
def test_three_apis_write_the_same_event(events: Events, level: str) -> None:
    """logkit, structlog and logging calls differ in nothing but time and counter."""
    log_three_ways("bot.api", level, "api_call", **FIELDS)
    own, structlogs, stdlibs = events()
    assert list(own) == list(structlogs) == list(stdlibs)
    assert (
        len({json.dumps(without(e, "timestamp", "seq")) for e in (own, structlogs, stdlibs)}) == 1
    )
    assert own["level"] == level
    assert own["logger"] == "bot.api"
    assert own["event"] == "api_call"
    assert {name: own[name] for name in FIELDS} == FIELDS


def test_three_apis_write_the_same_text(events: Events) -> None:
    """Text with placeholders becomes one message and one derived name, whoever logs it."""
    log_three_ways("bot", "info", "Shard %s connected after %d ms", 3, 250)
    for event in events():
        assert event["message"] == "Shard 3 connected after 250 ms"
        assert event["event"] == "shard_connected_after_ms"


def test_three_apis_write_the_same_exception(events: Events) -> None:
    """An exception gives the same error fields through each interface."""
    try:
        raise TimeoutError("no answer")
    except TimeoutError:
        log_three_ways("bot", "exception", "command_failed")
    own, structlogs, stdlibs = (without(event, "timestamp", "seq") for event in events())
    assert own == structlogs == stdlibs
    assert own["error_type"] == "TimeoutError"
    assert own["error_message"] == "no answer"


def test_events_fit_the_schema_and_are_numbered(events: Events) -> None:
    """Each event has the envelope, and seq counts without holes."""
    log = logkit.get_logger("bot")
    for number in range(5):
        log.info("counted", number=number)
    written = events()
    assert all(event.keys() >= schema.ENVELOPE for event in written)
    first = written[0]["seq"]
    assert [event["seq"] for event in written] == list(range(first, first + 5))


def test_second_configure_makes_no_duplicates(events: Events, log_path: Path) -> None:
    """configure() may be called again and again; one call still is one line."""
    for _ in range(3):
        logkit.configure("bot", path=log_path, level="debug")
    log_three_ways("bot", "info", "once_each")
    assert len(events()) == 3


def test_frameworks_print_nothing_beside_the_events(
    events: Events, log_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Console handlers of uvicorn and of basicConfig go; their records come once."""
    uvicorn = logging.getLogger("uvicorn.error")
    uvicorn.addHandler(logging.StreamHandler(sys.stderr))
    uvicorn.propagate = False
    logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))
    logkit.configure("bot", path=log_path, level="debug")
    uvicorn.info("Application startup complete.")
    assert [event["event"] for event in events()] == ["application_startup_complete"]
    assert capsys.readouterr() == ("", "")


def test_other_handlers_stay(
    events: Events, log_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Handlers that are no console, such as pytest's caplog, go on working."""
    logging.getLogger("bot").info("seen_by_both")
    assert [record.msg for record in caplog.records] == ["seen_by_both"]
    assert len(events()) == 1


def test_file_is_readable_by_the_group_only(events: Events, log_path: Path) -> None:
    """Log files have mode 0640."""
    assert stat.S_IMODE(log_path.stat().st_mode) == 0o640


def test_level_holds_for_all_three(events: Events, log_path: Path) -> None:
    """Events below the level are not written, and take no number."""
    logkit.configure("bot", path=log_path, level="warning")
    log_three_ways("bot", "info", "too_mild")
    log_three_ways("bot", "warning", "severe_enough")
    assert [event["event"] for event in events()] == ["severe_enough"] * 3


def test_environment_stands_between_defaults_and_arguments(
    monkeypatch: pytest.MonkeyPatch, log_path: Path
) -> None:
    """LOGKIT_* variables replace defaults, arguments replace LOGKIT_* variables."""
    monkeypatch.setenv("LOGKIT_SERVICE", "from_environment")
    monkeypatch.setenv("LOGKIT_PATH", str(log_path))
    monkeypatch.setenv("LOGKIT_LEVEL", "ERROR")
    logkit.configure(level="info")
    logkit.get_logger("bot").info("started")
    assert logkit.flush()
    assert json.loads(log_path.read_bytes())["service"] == "from_environment"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"level": "loud"}, "no level named 'loud'; levels: debug, info, warning, error, critical"),
        ({"max_bytes": 0}, "max_bytes is 0; it must be a whole number of at least 1"),
        ({"path": "/proc/no/such.log"}, "cannot open log file '/proc/no/such.log'"),
    ],
    ids=["level", "max_bytes", "path"],
)
def test_misuse_is_told_at_the_start(arguments: dict[str, Any], told: str) -> None:
    """A setting that cannot be used is one clear error, and nothing is configured."""
    with pytest.raises(logkit.ConfigurationError) as raised:
        logkit.configure("bot", **arguments)
    assert told in str(raised.value)


def test_importing_logkit_loads_nothing_else() -> None:
    """A bare import loads neither structlog nor anything of the analysis."""
    heavy = {
        "structlog",
        "orjson",
        "pythonjsonlogger",
        "duckdb",
        "typer",
        "rich",
        "pyarrow",
        "asyncio",
    }
    code = f"import sys, logkit; print(sorted({heavy!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
