"""A real terminal for a real command: a pseudo-terminal, and what is to be seen on it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING, Any

import pyte
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

# pyte knows none of these and would show their ends: questions to the terminal whose answers are
# not needed, and the keyboard protocol of kitty.
_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[(?:\?\d+\$p|[<>]\d*u)")
# Nor does it have the second screen, which a program leaves as it found the first.
_SECOND_SCREEN = re.compile(rb"\x1b\[\?1049([hl])")
_UNFINISHED = re.compile(rb"\x1b[^a-zA-Z]*\Z")
KEYS = {
    "enter": b"\r",
    "escape": b"\x1b",
    "up": b"\x1b[A",
    "backspace": b"\x7f",
    "ctrl-u": b"\x15",
    "ctrl-c": b"\x03",
    "ctrl-z": b"\x1a",
}


def _environment() -> dict[str, str]:
    """Return the environment without the size of another terminal, which would come first."""
    return {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}


class Terminal:
    """A command that runs in a terminal.

    Args:
        command: The command and its arguments.
        folder: Where it runs.
        environment: Added to the environment.
        columns: Width of the terminal.
        rows: Its height.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        *,
        columns: int = 100,
        rows: int = 24,
    ) -> None:
        self._first = self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._unfinished = b""
        self.raw = b""
        self._ours, self._theirs = pty.openpty()
        self._set_size(columns, rows)
        self.settings_before = termios.tcgetattr(self._theirs)
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={**_environment(), "TERM": "xterm-256color", **environment},
            stdin=self._theirs,
            stdout=self._theirs,
            stderr=self._theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        for descriptor in (self._ours, self._theirs):
            if descriptor >= 0:
                os.close(descriptor)

    @property
    def settings(self) -> list[Any]:
        """How the terminal is set: echo, line by line, and so on."""
        return termios.tcgetattr(self._theirs)

    @property
    def lines(self) -> list[str]:
        """What is to be seen, a line a row."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        """What is to be seen."""
        return "\n".join(self.lines)

    def press(self, *keys: str) -> None:
        """Press *keys*: names of `KEYS`, or characters."""
        os.write(self._ours, b"".join(KEYS.get(key, key.encode()) for key in keys))

    def until(self, is_met: Callable[[], object], *, within_s: float = 60.0) -> None:
        """Read what comes until it is met; fail with the screen if that does not happen."""
        end = time.monotonic() + within_s
        while not is_met():
            if time.monotonic() > end:
                pytest.fail(f"not within {within_s} s:\n{self.text}")
            self._read(0.05)

    def sees(self, *words: str) -> None:
        """Wait until all of *words* are to be seen."""
        self.until(lambda: all(word in self.text for word in words))

    def misses(self, words: str) -> None:
        """Wait until *words* are no longer to be seen."""
        self.until(lambda: words not in self.text)

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        self._screen.resize(rows, columns)
        self._set_size(columns, rows)

    def hang_up(self) -> None:
        """Close the terminal, as when the connection to it is lost."""
        os.close(self._ours)
        os.close(self._theirs)
        self._ours = self._theirs = -1

    def end(self) -> int:
        """Return the exit code once the command has ended."""
        self.until(lambda: self.process.poll() is not None)
        self._read(0)
        return self.process.wait()

    def _read(self, timeout_s: float) -> None:
        while select.select([self._ours], [], [], timeout_s)[0]:
            data = os.read(self._ours, 1 << 16)
            self.raw += data
            self._show(self._unfinished + data)
            timeout_s = 0

    def _show(self, data: bytes) -> None:
        rest = _UNFINISHED.search(data)
        self._unfinished = rest[0] if rest else b""
        data = _UNKNOWN_TO_PYTE.sub(b"", data.removesuffix(self._unfinished))
        before, *others = _SECOND_SCREEN.split(data)
        self._stream.feed(before)
        for switch, content in zip(others[::2], others[1::2], strict=True):
            is_second = switch == b"h"
            columns, rows = self._screen.columns, self._screen.lines
            self._screen = pyte.Screen(columns, rows) if is_second else self._first
            self._stream = pyte.ByteStream(self._screen)
            self._stream.feed(content)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
