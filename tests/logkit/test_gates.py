"""Flood limit, tail sampling and levels at run time: only on request, and never silent."""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import structlog

import logkit
from logkit.counters import Counters
from logkit.pipeline import pipeline
from logkit.tail import Tail
from logkit.testing import capture_events

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Read = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def read(log_path: Path) -> Read:
    """Return a function that reads the events of the log file."""

    def read_events() -> list[dict[str, Any]]:
        assert logkit.flush()
        return [orjson.loads(line) for line in log_path.read_bytes().splitlines()]

    return read_events


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in events]


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_nothing_stands_in_the_way_of_a_bot_that_asks_for_nothing(log_path: Path) -> None:
    """Without a request there is no gate, so no log call passes one."""
    logkit.configure("bot", path=log_path)
    assert pipeline.processors == []


def test_a_flood_is_cut_counted_and_told(log_path: Path, read: Read) -> None:
    """Three APIs share the budget of a name; the summary says what is missing."""
    logkit.configure("bot", path=log_path, flood_limit=5)
    before = logkit.stats()["suppressed"]
    for number in range(40):
        logkit.get_logger("bot").info("reconnecting", number=number)
        structlog.get_logger("bot").info("reconnecting")
        logging.getLogger("bot").info("reconnecting")
    logkit.get_logger("bot").info("other_event")
    suppressed = logkit.stats()["suppressed"] - before
    # A second may begin in the middle of the loop.
    assert 120 - 3 * 5 <= suppressed <= 115
    logkit.configure("bot", path=log_path)
    events = read()
    assert names(events).count("reconnecting") == 120 - suppressed
    assert names(events).count("other_event") == 1
    summaries = [event for event in events if event["event"] == "events_suppressed"]
    assert {event["suppressed_event"] for event in summaries} == {"reconnecting"}
    assert sum(event["suppressed"] for event in summaries) == suppressed


def test_a_flood_of_infos_hides_no_error_and_leaves_no_hole(log_path: Path, read: Read) -> None:
    """Each level has its own budget, and suppressed events take no number."""
    logkit.configure("bot", path=log_path, flood_limit=1)
    log = logkit.get_logger("bot")
    for _ in range(20):
        log.info("call_made")
    log.error("call_made")
    events = read()
    assert [event["level"] for event in events].count("error") == 1
    numbers = [event["seq"] for event in events]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_events_come_again_in_the_next_second(log_path: Path, read: Read) -> None:
    """The limit is one of speed: who logs slowly loses nothing."""
    logkit.configure("bot", path=log_path, flood_limit=1)
    log = logkit.get_logger("bot")
    log.info("tick")

    def has_come_again() -> bool:
        log.info("tick")
        return names(read()).count("tick") >= 3

    eventually(has_come_again)


def test_debug_events_of_a_failed_correlation_are_written(log_path: Path, read: Read) -> None:
    """They come with their own times; those of correlations that went well never come."""
    logkit.configure("bot", path=log_path, tail_debug=True)
    log = logkit.get_logger("bot")
    log.debug("never_wanted")
    for action, fails in (("good", False), ("bad", True)):
        with logkit.correlation(action):
            log.debug("cache_missed", token="hunter22hunter22", number=1)
            logging.getLogger("player").debug("looked for %s", "a song")
            log.info("command_handled")
            if fails:
                log.error("command_failed")
                log.debug("cleaned_up")
    events = read()
    assert [(event["correlation_id"], event["event"]) for event in events] == [
        ("good", "command_handled"),
        ("bad", "command_handled"),
        ("bad", "cache_missed"),
        ("bad", "looked_for"),
        ("bad", "command_failed"),
        ("bad", "cleaned_up"),
    ]
    assert events[2]["timestamp"] < events[1]["timestamp"]
    assert events[2]["token"] == "[redacted]"
    numbers = [event["seq"] for event in events]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_kept_events_are_bounded_and_what_is_given_up_is_counted() -> None:
    """The correlation that has been silent for longest goes first, and each has 200 lines."""
    counters, written = Counters(), list[bytes]()
    tail = Tail(counters, lambda line, level: written.append(line), max_bytes=3_000)
    for correlation_id in "abc":
        tail.keep(correlation_id, b"x" * 1_000, "debug")
    tail.keep("a", b"y" * 1_000, "debug")
    tail.fail("b")
    assert (written, counters.sampled_out) == ([], 1)
    tail.fail("a")
    assert len(written) == 2
    for _ in range(300):
        tail.keep("c", b"z", "debug")
    tail.fail("c")
    assert (len(written), counters.sampled_out) == (202, 102)


@pytest.fixture
def levels_file(tmp_path: Path, log_path: Path) -> Path:
    """Configure a bot that is told levels by a file, which is not there yet."""
    path = tmp_path / "levels"
    logkit.configure("bot", path=log_path, levels_file=path)
    return path


def test_a_file_changes_the_level_of_one_logger(levels_file: Path, read: Read) -> None:
    """Its children follow, others do not; without the file all is as before."""
    own, child = logkit.get_logger("bot.player"), logging.getLogger("bot.player.cache")
    levels_file.write_text("# for a look\nbot.player debug 10m\nbot.noisy error\n")
    eventually(lambda: "log_levels_changed" in names(read()))
    own.debug("own_seen")
    child.debug("child_seen")
    logkit.get_logger("bot.playerless").debug("unseen")
    logkit.get_logger("bot.noisy").warning("unseen")
    logging.getLogger("bot.noisy").warning("unseen")
    levels_file.unlink()
    eventually(lambda: names(read()).count("log_levels_changed") == 2)
    own.debug("unseen")
    child.debug("unseen")
    assert names(read()) == ["log_levels_changed", "own_seen", "child_seen", "log_levels_changed"]
    assert pipeline.processors == []


def test_a_level_ends_by_itself(levels_file: Path, read: Read) -> None:
    """Nobody has to remember to switch debug off again."""
    levels_file.write_text("* debug 10m\n")
    eventually(lambda: len(read()) == 1)
    logging.getLogger("any").debug("seen")
    an_hour_ago = time.time() - 3_600
    os.utime(levels_file, (an_hour_ago, an_hour_ago))
    eventually(lambda: names(read()).count("log_levels_changed") == 2)
    logging.getLogger("any").debug("unseen")
    logkit.get_logger("any").debug("unseen")
    assert names(read()) == ["log_levels_changed", "seen", "log_levels_changed"]


def test_a_line_that_says_nothing_is_told(levels_file: Path, read: Read) -> None:
    """A slip of the pen is an event, and the other lines hold."""
    levels_file.write_text("bot.player loud 10m\nbot.player\n* debug\n")
    eventually(lambda: len(read()) == 3)
    assert names(read()) == ["log_level_rejected", "log_level_rejected", "log_levels_changed"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
def test_a_signal_shows_debug_until_it_comes_again(log_path: Path, read: Read) -> None:
    """All loggers say more; the second signal ends it, and another configuration frees it."""
    logkit.configure("bot", path=log_path, levels_signal="SIGUSR2")

    def has_changed(times: int) -> bool:
        return names(read()).count("log_levels_changed") == times

    for count, is_seen in ((1, True), (2, False)):
        signal.raise_signal(signal.SIGUSR2)
        eventually(partial(has_changed, count))
        logkit.get_logger("bot").debug("own_seen" if is_seen else "unseen")
        logging.getLogger("any").debug("any_seen" if is_seen else "unseen")
    changed = "log_levels_changed"
    assert names(read()) == [changed, "own_seen", "any_seen", changed]
    logkit.configure("bot", path=log_path)
    assert signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL


def _catch_in_python() -> None:
    signal.signal(signal.SIGUSR2, lambda *_: None)


@pytest.mark.skipif(sys.platform != "linux", reason="where C's handlers cannot be seen")
@pytest.mark.parametrize(
    "take", [_catch_in_python, lambda: faulthandler.register(signal.SIGUSR2)], ids=["python", "c"]
)
def test_a_handler_of_the_bots_own_is_left_alone(log_path: Path, take: Callable[[], None]) -> None:
    """configure() refuses a signal for which there is a handler, also one of faulthandler's."""
    take()
    before = signal.getsignal(signal.SIGUSR2)
    try:
        with pytest.raises(logkit.ConfigurationError, match="SIGUSR2 has a handler already"):
            logkit.configure("bot", path=log_path, levels_signal="sigusr2")
        assert signal.getsignal(signal.SIGUSR2) is before
    finally:
        faulthandler.unregister(signal.SIGUSR2)
        signal.signal(signal.SIGUSR2, signal.SIG_DFL)


@pytest.mark.parametrize("name", ["SIGNAL", "SIGKILL", ""])
def test_a_signal_that_cannot_be_caught_is_refused(log_path: Path, name: str) -> None:
    """configure() says so at the start."""
    with pytest.raises(logkit.ConfigurationError, match="levels_signal"):
        logkit.configure("bot", path=log_path, levels_signal=name)


def test_a_test_sees_all_events(log_path: Path) -> None:
    """In capture_events() nothing is held back."""
    logkit.configure("bot", path=log_path, flood_limit=1, tail_debug=True)
    with capture_events("debug") as events, logkit.correlation():
        for _ in range(3):
            logkit.get_logger("bot").debug("tick")
    assert len(events) == 3
    assert len(pipeline.processors) == 2


@pytest.mark.parametrize("limit", [0, -1, "many"])
def test_a_limit_that_is_none_is_refused(log_path: Path, limit: Any) -> None:
    """configure() says so at the start."""
    with pytest.raises(logkit.ConfigurationError, match="flood_limit"):
        logkit.configure("bot", path=log_path, flood_limit=limit)
