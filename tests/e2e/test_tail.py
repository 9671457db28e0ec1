"""A real ``logkit tail`` on files that grow, in a pipe and on a terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.following import LOGKIT, append, wait_until
from tests.e2e.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.nursery import Nursery, Process

PACE = "0.1"
# What the libraries take is half of it.
_MOST_KIB = 400 * 1024
START = datetime(2026, 1, 31, 9, tzinfo=UTC)


def line(second: int, message: str, **fields: object) -> bytes:
    """Return a line that was written so many seconds after `START`."""
    at = (START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")
    whole = {"timestamp": at, "level": "info", "service": "bot", "event": "e", "message": message}
    return json.dumps({**whole, **fields}).encode() + b"\n"


class Watched:
    """A ``logkit tail`` process, and what came out of it."""

    def __init__(self, nursery: Nursery, folder: Path) -> None:
        self._nursery = nursery
        self._folder = folder
        self._process: Process | None = None
        self._stdout = folder / "tail.out"
        self._stderr = folder / "tail.err"

    def start(self, *words: str | Path, descriptors: int | None = None) -> None:
        """Watch what *words* say, with so many descriptors."""
        self._process = self._nursery.start(
            ["tail", *map(str, words), "--pace", PACE],
            folder=self._folder,
            stdout=self._stdout,
            stderr=self._stderr,
            descriptors=descriptors,
        )

    @property
    def process(self) -> Process:
        """The running process."""
        assert self._process is not None
        return self._process

    @property
    def said(self) -> str:
        """What it wrote on stderr."""
        return self._stderr.read_text()

    @property
    def lines(self) -> list[str]:
        """The whole lines that it wrote."""
        text = self._stdout.read_text() if self._stdout.exists() else ""
        return text.split("\n")[:-1]

    @property
    def messages(self) -> list[str]:
        """The last word of each line."""
        return [line.split()[-1] for line in self.lines]

    def shows(self, *messages: str) -> None:
        """Wait until just *messages* are shown, in this order."""
        wanted = list(messages)
        try:
            wait_until(lambda: self.messages == wanted, str(wanted))
        except pytest.fail.Exception:
            pytest.fail(f"{self.messages} instead of {wanted}; {self.said}")

    def awaits(self, message: str) -> None:
        """Wait until *message* is shown as the last."""
        wait_until(lambda: self.messages[-1:] == [message], f"{message}; {self.said}")

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """End it; return its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(60)
        self._process = None
        return code

    def clean_up(self) -> None:
        """End it if it runs."""
        if self._process is not None:
            self.stop(signal.SIGKILL)


@pytest.fixture
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take all settings away."""
    for name in [name for name in os.environ if name.startswith(("LOGKIT_", "COLUMNS", "NO_COL"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def watched(clean: None, tmp_path: Path, nursery: Nursery) -> Iterator[Watched]:
    """Return a tail that is not started; it is killed at the end if it runs."""
    watched = Watched(nursery, tmp_path)
    yield watched
    watched.clean_up()


def test_files_are_merged_by_time_and_followed(watched: Watched, log: Path) -> None:
    """-n shows the last lines of all files by time; what comes is added; Ctrl-C ends with 0."""
    other = log.with_name("worker.log")
    append(log, line(1, "a") + line(3, "c") + line(5, "e"))
    append(other, line(2, "b") + line(4, "d"))
    watched.start(log, other, "-n", "3")
    watched.shows("c", "d", "e")
    append(other, line(6, "f"))
    watched.shows("c", "d", "e", "f")
    assert watched.lines[0] == "2026-01-31T09:00:03.000Z info     e c"
    assert watched.stop() == 0
    assert watched.said == ""


def test_a_rotated_file_loses_nothing(watched: Watched, log: Path) -> None:
    """Lines before, during and after a rotation are shown once each."""
    append(log, line(0, "before") + line(1, "a"))
    watched.start(log.parent, "-n", "1")
    watched.shows("a")
    with log.open("ab") as old:
        log.rename(log.with_name("app.log.1"))
        append(log, line(3, "c"))
        old.write(line(2, "b"))
    wait_until(lambda: sorted(watched.messages) == ["a", "b", "c"], "all three are shown")
    log.write_bytes(b"")
    append(log, line(4, "d"))
    wait_until(lambda: watched.messages[3:] == ["d"], "what follows a truncation is shown")
    assert watched.stop(signal.SIGTERM) == 0


def test_more_files_than_descriptors(watched: Watched, tmp_path: Path) -> None:
    """Those that are quiet are closed and opened again."""
    logs = [tmp_path / f"bot{number}.log" for number in range(120)]
    for number, log in enumerate(logs):
        append(log, line(number, f"old{number}"))
    watched.start(tmp_path, "-n", "1", descriptors=100)
    watched.shows("old119")
    for number in (0, 60, 119):
        append(logs[number], line(200 + number, f"new{number}"))
        watched.awaits(f"new{number}")


def test_filters_choose(watched: Watched, log: Path) -> None:
    """-l, -f and --where narrow what is there and what comes; broken lines are then left out."""
    append(log, line(1, "a", level="error", status=500) + b"broken\n" + line(2, "b", status=500))
    words = ("-l", "warning", "-f", "status_code!=404", "--where", "message <> 'x'")
    watched.start(log, *words)
    watched.shows("a")
    append(log, line(3, "x", level="error") + line(4, "c", level="error"))
    append(log, line(5, "y", level="error", status=404) + line(6, "d", level="critical"))
    watched.shows("a", "c", "d")


def test_a_burst_while_it_is_stopped_takes_no_memory(watched: Watched, log: Path) -> None:
    """Of 60 MB that come at once nothing is lost, and little of it is held at a time."""
    append(log, line(0, "before", level="error"))
    watched.start(log, "-l", "error", "-f", "service=bot")
    watched.shows("before")
    watched.process.send_signal(signal.SIGSTOP)
    pad = "x" * 1_000
    noise = b"".join(line(1, str(n), pad=pad) for n in range(500))
    append(log, b"".join(noise + line(2, f"after-{n}", level="error") for n in range(100)))
    watched.process.send_signal(signal.SIGCONT)
    watched.shows("before", *(f"after-{n}" for n in range(100)))
    status = Path(f"/proc/{watched.process.pid}/status").read_text()
    assert int(status.partition("VmHWM:")[2].split()[0]) < _MOST_KIB


def test_since_shows_all_that_came_later(watched: Watched, log: Path) -> None:
    """--since takes a time, or how long ago; -n then limits only if it is given."""
    append(log, b"".join(line(second, str(second)) for second in range(100)))
    watched.start(log, "--since", "2026-01-31T09:00:40Z")
    watched.shows(*map(str, range(40, 100)))


def test_nothing_of_a_log_reaches_the_terminal_raw(watched: Watched, log: Path) -> None:
    """Escape sequences and line breaks in a log are shown; a line stays a line."""
    append(log, line(1, "\x1b[2J\r\n\u202e\x9b!", event="x\x1b]0;t\x07") + b"\x1b[31mbad\xff\n")
    watched.start(log)
    wait_until(lambda: len(watched.lines) == 2, "both lines are shown")
    text = "".join(watched.lines)
    assert text.isprintable()
    assert r"\x1b[2J\r\n\u202e\x9b!" in text
    assert r"\x1b[31mbad\xff" in text


def test_json_lines_go_to_other_programs(watched: Watched, log: Path) -> None:
    """--format jsonl writes each event as an object, as soon as it is there."""
    append(log, line(1, "a", guild="7"))
    watched.start(log, "--format", "jsonl")
    wait_until(lambda: len(watched.lines) == 1, "the event is there")
    assert json.loads(watched.lines[0]) == {
        "timestamp": "2026-01-31T09:00:01.000Z",
        "level": "info",
        "service": "bot",
        "event": "e",
        "message": "a",
        "fields": {"guild": "7"},
        "source_file": str(log),
        "source_offset": 0,
    }


def test_settings_of_other_commands_do_no_harm(
    watched: Watched, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A format for tables is none for tail, and the level that a bot writes hides nothing."""
    monkeypatch.setenv("LOGKIT_FORMAT", "json")
    monkeypatch.setenv("LOGKIT_LEVEL", "error")
    monkeypatch.setenv("LOGKIT_TZ", "Europe/Berlin")
    append(log, line(1, "a"))
    watched.start(log)
    watched.shows("a")
    assert watched.lines == ["2026-01-31T10:00:01.000+01:00 info     e a"]


def test_a_reader_that_has_enough_ends_it() -> None:
    """With ``| head`` it ends without a word, though nothing more comes from standard input."""
    tail = subprocess.Popen(
        [LOGKIT, "tail"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert tail.stdin is not None
    assert tail.stdout is not None
    assert tail.stderr is not None
    tail.stdin.write(line(1, "a") + line(2, "b"))
    tail.stdin.flush()
    assert tail.stdout.readline().endswith(b" a\n")
    tail.stdout.close()
    assert tail.wait(60) == 0
    assert tail.stderr.read() == b""
    tail.stdin.close()
    tail.stderr.close()


# The command where the extra is not installed.
NO_SCREEN = """
import sys
sys.modules["textual"] = None
from logkit_analysis.__main__ import main
sys.exit(main())
"""


@pytest.mark.usefixtures("clean")
def test_a_terminal_has_colours_and_a_status_line(log: Path) -> None:
    """Lines are coloured and cut; the status stands below them and goes when it ends."""
    append(log, line(1, "x" * 200, level="error", status=500, duration_ms=12))
    command = [sys.executable, "-c", NO_SCREEN, "tail", str(log)]
    with Terminal(command, log.parent, {}) as terminal:
        terminal.sees("lines/s")
        append(log, line(2, "b", status=429, duration_ms=3862))
        terminal.sees("429s 1")
        terminal.sees("e 429")
        first = [text for text in terminal.lines if text]
        hint, shown = first[2], [*first[:2], *first[3:]]
        assert hint.endswith("pip install 'botlogkit[tui]'")
        assert shown[0].startswith("── Saturday, 2026-01-31 ──")
        assert shown[1].startswith("09:00:01.000 ERROR    e 500    12 ms xxx")
        assert shown[1].endswith("…")
        assert shown[2] == "09:00:02.000 info     e 429 3,862 ms b"
        assert "errors 0.0 %" in shown[3]
        assert "p95 3,862 ms" in shown[3]
        assert b"\x1b[1;31mERROR" in terminal.raw
        terminal.press("ctrl-c")
        assert terminal.end() == 0
        assert [text for text in terminal.lines if text] == first[:4]


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize("name", ["NO_COLOR", "TERM"])
def test_colours_can_be_refused(log: Path, name: str) -> None:
    """NO_COLOR takes the colours away, a dumb terminal gets lines alone."""
    append(log, line(1, "a", level="error"))
    command = [LOGKIT, "tail", "--plain", str(log)]
    with Terminal(command, log.parent, {name: "dumb"}) as terminal:
        terminal.sees("ERROR    e a")
        assert b"mERROR" not in terminal.raw
        terminal.press("ctrl-c")
        assert terminal.end() == 0
        assert (b"\x1b" in terminal.raw) == (name == "NO_COLOR")
