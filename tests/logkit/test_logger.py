from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import structlog

import logkit
from logkit.testing import capture_events, violations

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Events = Callable[[], list[dict[str, Any]]]


def test_loggers_are_immutable_like_structlogs() -> None:
    """bind, unbind, try_unbind and new return loggers and change none."""
    log = logkit.get_logger("bot", a=1)
    with capture_events() as events:
        log.bind(b=2).info("bound")
        log.bind(b=2).unbind("a").info("unbound")
        log.try_unbind("a", "never").info("unbound")
        log.new(c=3).info("renewed")
        log.info("untouched")
        with pytest.raises(KeyError):
            log.unbind("never")
    shown = [{key: event[key] for key in "abc" if key in event} for event in events]
    assert shown == [{"a": 1, "b": 2}, {"b": 2}, {}, {"c": 3}, {"a": 1}]


def test_every_method_of_structlog_is_there() -> None:
    """Aliases, ``log`` with a level and the async twins do what they do in structlog."""
    log = structlog.get_logger("bot")

    async def twins() -> None:
        for level in ("debug", "info", "warning", "error", "critical"):
            await getattr(log, f"a{level}")("called")
        await log.aexception("called")
        for alias in ("amsg", "awarn", "afatal"):
            await getattr(log, alias)("called")
        await log.alog(logging.ERROR, "called")

    with capture_events(level="debug") as events:
        for alias in ("msg", "warn", "fatal", "exception"):
            getattr(log, alias)("called")
        for level in (10, "INFO", "warn", "no such level"):
            log.log(level, "called")
        asyncio.run(twins())
        assert log.is_enabled_for(logging.DEBUG)
        assert log.isEnabledFor(logging.DEBUG)
        assert log.get_effective_level() == log.getEffectiveLevel() == logging.DEBUG
        assert log.bind().name == "bot"
    assert [event["level"] for event in events if event["logger"] == "bot"] == [
        *("info", "warning", "critical", "error"),
        *("debug", "info", "warning", "info"),
        *("debug", "info", "warning", "error", "critical", "error"),
        *("info", "warning", "critical", "error"),
    ]


def test_the_name_may_be_given_or_guessed() -> None:
    """A logger without a name is named after the module that asks for it."""
    with capture_events() as events:
        logkit.get_logger().info("started")
        logkit.get_logger("bot.api").info("started")
        structlog.get_logger("bot.api", shard_id=3).info("started")
    assert [event["logger"] for event in events] == [__name__, "bot.api", "bot.api"]
    assert events[2]["shard_id"] == 3


def test_loggers_made_before_configure_write_afterwards(log_path: Path) -> None:
    """Module-level loggers, logkit's and structlog's, follow a later configure()."""
    early, early_structlog = logkit.get_logger("early"), structlog.get_logger("early")
    logkit.configure("bot", path=log_path)
    early.info("started")
    early_structlog.info("started")
    assert logkit.flush()
    assert [orjson.loads(line)["service"] for line in log_path.read_bytes().splitlines()] == [
        "bot",
        "bot",
    ]


def test_structlogs_own_test_helper_still_works(events: Events) -> None:
    """A bot's tests that use structlog.testing.capture_logs go on passing."""
    log = structlog.get_logger("bot")
    log.info("before")
    with structlog.testing.capture_logs() as entries:
        log.warning("captured", number=1)
    assert entries == [{"event": "captured", "number": 1, "log_level": "warning"}]
    assert [event["event"] for event in events()] == ["before"]


def test_processors_of_the_bot_see_every_event(events: Events, log_path: Path) -> None:
    """configure(processors=...) takes structlog processors; DropEvent drops without a gap."""

    def drop_noise(_: Any, __: str, event_dict: Any) -> Any:
        if event_dict["event"] == "noise":
            raise structlog.DropEvent
        event_dict["seen"] = True
        return event_dict

    logkit.configure("bot", path=log_path, level="debug", processors=[drop_noise])
    log = logkit.get_logger("bot")
    log.info("first")
    log.info("noise")
    logging.getLogger("bot").info("second")
    written = events()
    assert [(event["event"], event["seen"]) for event in written] == [
        ("first", True),
        ("second", True),
    ]
    assert written[1]["seq"] == written[0]["seq"] + 1


def test_the_envelope_wins_over_what_processors_add(events: Events, log_path: Path) -> None:
    """Processors of structlog make no key twice, and a secret that one adds is masked."""

    def add_token(_: Any, __: str, event_dict: Any) -> Any:
        return {**event_dict, "api_token": "s3cret"}

    usual: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M"),
    ]
    logkit.configure("bot", path=log_path, processors=[*usual, add_token])
    logkit.get_logger("bot").info("started")
    (event,) = events()
    assert violations(event) == []
    assert log_path.read_text().count('"level"') == log_path.read_text().count('"timestamp"') == 1
    assert (event["field_level"], event["api_token"]) == ("info", "[redacted]")


USUAL_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.filter_by_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_log_level_number,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso"),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
    structlog.processors.dict_tracebacks,
    structlog.processors.UnicodeDecoder(),
    structlog.processors.CallsiteParameterAdder(additional_ignores=["logkit", "logging"]),
    structlog.processors.EventRenamer("msg"),
]


def test_the_usual_processors_of_structlog_work_as_they_are(events: Events, log_path: Path) -> None:
    """What bots list, but for the renderer: the events keep their names and their fields."""
    logkit.configure("bot", path=log_path, flood_limit=10, processors=USUAL_PROCESSORS)
    try:
        raise KeyError("x")
    except KeyError:
        structlog.get_logger("bot.player").exception("song_failed", song="Vltava")
    logging.getLogger("bot.quiet").setLevel(logging.ERROR)
    structlog.get_logger("bot.quiet").warning("left_out")
    logging.getLogger("bot.api").warning("call of %s", "me", extra={"number": 1})
    failed, called = events()
    assert (failed["event"], failed["msg"], failed["song"]) == ("song_failed",) * 2 + ("Vltava",)
    assert failed["field_logger"] == failed["logger"] == "bot.player"
    assert (failed["error_type"], failed["level_number"]) == ("KeyError", logging.ERROR)
    assert (called["event"], called["message"], called["number"]) == ("call_of", "call of me", 1)
    assert {failed["pathname"], called["pathname"]} == {__file__}


def test_a_processor_that_renders_is_named(events: Events, log_path: Path) -> None:
    """The renderer at the end of structlog's list is refused in words; the events stay."""
    renderer: Any = structlog.processors.JSONRenderer()
    logkit.configure("bot", path=log_path, processors=[renderer])
    structlog.get_logger("bot").info("started")
    (event,) = events()
    assert event["event"] == "started"
    assert event["logkit_error"].endswith("JSONRenderer returned str: leave rendering to logkit")


def test_a_failing_processor_costs_the_fields_not_the_event(events: Events, log_path: Path) -> None:
    """The bot's code goes on; the event is written with its name and what went wrong."""

    def broken(_: Any, __: str, event_dict: Any) -> Any:
        raise RuntimeError("broken")

    logkit.configure("bot", path=log_path, processors=[broken])
    logkit.get_logger("bot").info("api_call", token="s3cret")
    (event,) = events()
    assert (event["event"], event["logkit_error"]) == ("api_call", "RuntimeError: broken")
    assert "s3cret" not in str(event)


def test_without_configure_events_go_to_standard_output() -> None:
    """A bot that forgot configure() still logs."""
    code = "import logkit; logkit.get_logger('bot').info('started', n=1)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        env={**os.environ, "LOGKIT_SERVICE": "from_environment"},
    )
    event = orjson.loads(run.stdout)
    assert (event["event"], event["n"], event["service"]) == ("started", 1, "from_environment")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_forked_child_is_an_instance_of_its_own(events: Events) -> None:
    """After a fork, both processes write, with two instances, two pids and two counters."""
    log = logkit.get_logger("bot")
    log.info("parent_ran")
    child = os.fork()
    if child == 0:
        log.info("child_ran")
        os._exit(0)
    os.waitpid(child, 0)
    log.info("parent_ran")
    parent, from_child, parent_again = sorted(events(), key=lambda event: event["timestamp"])
    assert from_child["event"] == "child_ran"
    assert from_child["pid"] == child
    assert from_child["seq"] == 1
    assert from_child["instance"] != parent["instance"] == parent_again["instance"]
    assert parent_again["seq"] == parent["seq"] + 1


def test_env_and_version_are_written_unless_the_call_says_otherwise(log_path: Path) -> None:
    """What configure() was told about the deploy is in each event; a call's own value wins."""
    logkit.configure("bot", path=log_path, env="prod", version="1.2")
    log = logkit.get_logger("bot")
    log.info("started")
    log.info("started", version="1.3")
    assert logkit.flush()
    first, second = (orjson.loads(line) for line in log_path.read_bytes().splitlines())
    assert (first["env"], first["version"]) == ("prod", "1.2")
    assert (second["env"], second["version"]) == ("prod", "1.3")
