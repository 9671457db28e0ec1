"""A real ``logkit tail`` on the full screen of a real terminal."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.e2e.following import LOGKIT
from tests.e2e.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 24
PAGE = ROWS - 3
# A title of the window, a colour, both again in one byte, text that runs backwards, a new line.
HOSTILE = "\x1b]0;owned\x07\x1b[35;7mEVIL\x9b35mX\u202e\r\n[red]y[/red]"


def line(number: int, **fields: object) -> str:
    """Return a line that was written so many seconds after two o'clock."""
    at = f"2026-03-01T14:{number // 60:02}:{number % 60:02}Z"
    whole = {"timestamp": at, "level": "info", "service": "bot", "event": "told"}
    return json.dumps({**whole, "message": f"line {number}", **fields}) + "\n"


def append(path: Path, *lines: str) -> None:
    """Write *lines* to the end of the log at *path*."""
    with path.open("a", encoding="utf-8") as log:
        log.write("".join(lines))


def watching(folder: Path, *words: str) -> Terminal:
    """Start ``logkit tail`` in a terminal."""
    command = [LOGKIT, "tail", "--pace", "0.1", *words]
    return Terminal(command, folder, {"XDG_CONFIG_HOME": str(folder)}, rows=ROWS)


def shown(terminal: Terminal) -> list[int]:
    """Return the numbers of the log lines on the page."""
    page = terminal.lines[1 : PAGE + 1]
    return [int(row.split("line ")[1].split()[0].rstrip("…")) for row in page if "line " in row]


def test_a_night_at_the_screen(tmp_path: Path) -> None:
    """Pause, go on, detail, trace, patterns, filter, rotation, sizes, hostile lines, and an end."""
    bot, worker = tmp_path / "bot.log", tmp_path / "worker.log"
    append(bot, *(line(number) for number in range(0, 40, 2)))
    append(worker, *(line(number, service="worker") for number in range(1, 40, 2)))
    with watching(tmp_path, "bot.log", "worker.log") as terminal:
        terminal.sees("LIVE", "line 39", "bot.log and 1 more", "lines/s")
        assert shown(terminal) == list(range(40 - PAGE, 40))
        _pause_and_go_on(terminal, bot)
        _look_closer(terminal, bot, worker)
        _filter_and_rotate(terminal, bot)
        _be_attacked(terminal, worker)
        _change_size_and_sleep(terminal)
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.settings == terminal.settings_before
        assert terminal.text.strip() == ""
        assert terminal.raw.rindex(b"\x1b[?25h") > terminal.raw.rindex(b"\x1b[?25l")
        assert b"\x1b[?1000h" not in terminal.raw


def test_an_expression_that_does_not_answer_keeps_nobody(tmp_path: Path) -> None:
    """Keys work on, and the screen ends when it is told to."""
    append(tmp_path / "bot.log", line(1))
    with watching(tmp_path, "bot.log") as terminal:
        terminal.sees("line 1")
        terminal.press("/")
        terminal.press("pg_sleep(case when message is null then 0 else 60 end) is null\r")
        terminal.sees("/ pg_sleep")
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.settings == terminal.settings_before


def _pause_and_go_on(terminal: Terminal, bot: Path) -> None:
    terminal.press("up")
    terminal.sees("PAUSED", "nothing new yet")
    before = shown(terminal)
    append(bot, *(line(number) for number in range(40, 340)))
    terminal.sees("PAUSED  300 new below  space resumes")
    assert shown(terminal) == before
    terminal.press(" ")
    terminal.sees(f"CATCHING UP  {300 - PAGE} new below")
    assert shown(terminal) == list(range(40, 40 + PAGE))
    terminal.press("G")
    terminal.sees("LIVE", "line 339")
    append(bot, line(340))
    terminal.sees("line 340")


def _look_closer(terminal: Terminal, bot: Path, worker: Path) -> None:
    append(bot, line(341, correlation_id="c-1"))
    append(worker, line(342, correlation_id="c-1", user_id="u-9"))
    terminal.sees("line 342")
    terminal.press("enter")
    terminal.sees('"user_id": "u-9"', "esc closes")
    terminal.press("escape")
    terminal.sees("space resumes")
    terminal.press("t")
    terminal.sees("TRACE c-1", "LIVE")
    terminal.until(lambda: shown(terminal) == [341, 342])
    append(bot, line(343, correlation_id="c-1"), line(344))
    terminal.until(lambda: shown(terminal) == [341, 342, 343])
    terminal.press("escape")
    terminal.sees("PAUSED  2 new below")
    terminal.press("p")
    terminal.sees("patterns of the 345 lines", "line *")
    terminal.press("escape")
    terminal.sees("space resumes")
    terminal.press(" ")
    terminal.sees("LIVE", "line 344")


def _filter_and_rotate(terminal: Terminal, bot: Path) -> None:
    terminal.press("/", *"status_code=x", "enter")
    terminal.sees("status_code is a number and 'x' is none")
    terminal.press("backspace")
    terminal.sees("filter / status_code=\n")
    terminal.press(*"429", "enter")
    terminal.sees("/ status_code=429", "nothing matches so far")
    bot.rename(bot.with_suffix(".log.1"))
    append(bot.with_suffix(".log.1"), line(345, status_code=429))
    append(bot, line(346), line(347, status_code=429))
    terminal.until(lambda: shown(terminal) == [345, 347])
    terminal.press("/", "ctrl-u")
    terminal.sees("filter /\n")
    terminal.press("enter")
    terminal.until(lambda: shown(terminal)[-4:] == [344, 345, 346, 347])
    terminal.press("l", "l")
    terminal.sees("warning and worse", "nothing matches so far")
    append(bot, line(348, level="error"), line(349))
    terminal.until(lambda: shown(terminal) == [348])
    terminal.press("l", "l", "l")
    terminal.until(lambda: shown(terminal)[-3:] == [347, 348, 349])


def _be_attacked(terminal: Terminal, worker: Path) -> None:
    append(worker, line(350, message=HOSTILE, event=HOSTILE, correlation_id=HOSTILE))
    append(worker, HOSTILE + "\n")
    terminal.sees("\\x1b]0;owned\\x07\\x1b[35;7mEVIL\\x9b35mX", "REJECTED")
    terminal.press("up", "up", "enter")
    terminal.sees('"event":', '"message":')
    terminal.press("escape")
    terminal.sees("space resumes")
    terminal.press("t", "p")
    terminal.sees("TRACE \\x1b]0;owned", "patterns of the")
    terminal.press("escape")
    terminal.misses("patterns of the")
    terminal.press("t", "G")
    terminal.sees("LIVE", "line 349")
    for sequence in ("\x1b]0;owned", "owned\x07", "\x1b[35;7m", "\x9b", "\u202e"):
        assert sequence.encode() not in terminal.raw


def _change_size_and_sleep(terminal: Terminal) -> None:
    terminal.resize(60, 12)
    terminal.until(lambda: "lines/s" in terminal.lines[11])
    terminal.sees("LIVE", "line 349")
    terminal.press("ctrl-z")
    assert os.WIFSTOPPED(os.waitpid(terminal.process.pid, os.WUNTRACED)[1])
    assert terminal.settings == terminal.settings_before
    terminal.misses("LIVE")
    terminal.process.send_signal(signal.SIGCONT)
    terminal.sees("LIVE", "line 349")
    terminal.press("up")
    terminal.sees("PAUSED")


@pytest.mark.parametrize("how", ["ctrl-c", "SIGTERM"])
def test_the_end_leaves_a_clean_terminal(tmp_path: Path, how: str) -> None:
    """A key or a signal ends it with exit code 0, on a file that is not there yet too."""
    with watching(tmp_path, "later.log") as terminal:
        terminal.sees("LIVE", "later.log: nothing there yet, waiting for it")
        if how == "ctrl-c":
            terminal.press(how)
        else:
            terminal.process.send_signal(signal.Signals[how])
        assert terminal.end() == 0
        assert terminal.settings == terminal.settings_before
        assert "LIVE" not in terminal.text


def test_waiting_for_a_log_is_not_told_once_it_is_there(tmp_path: Path) -> None:
    """What was missing and has come is no longer said to be missing."""
    with watching(tmp_path, "later.log") as terminal:
        terminal.sees("LIVE", "later.log: nothing there yet, waiting for it")
        append(tmp_path / "later.log", line(1))
        terminal.sees("line 1")
        terminal.misses("nothing there yet")


def test_a_lost_terminal_ends_it(tmp_path: Path) -> None:
    """Nothing runs on when the connection is gone."""
    append(tmp_path / "bot.log", line(1))
    with watching(tmp_path, "bot.log") as terminal:
        terminal.sees("LIVE", "line 1")
        terminal.hang_up()
        terminal.process.wait(60)
