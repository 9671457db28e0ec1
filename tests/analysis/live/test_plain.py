"""Lines into a pipe, and onto a terminal above a status line."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st
from logkit_analysis.live.event import LiveEvent
from logkit_analysis.live.plain import JsonLines, PlainLines
from logkit_analysis.live.rates import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

AT = datetime(2026, 1, 31, 23, 59, 58, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
COLUMNS, ROWS = 60, 40


def event(number: int, message: str = "", at: datetime = AT) -> LiveEvent:
    """Return an event whose line names its number."""
    return LiveEvent("a.log", number, at, {"level": "info", "event": "e", "message": message})


def status(number: int) -> Status:
    """Return what comes in, told apart by the count of 429s."""
    return Status(12.0, 20, 1, 0.05, number, 0, (None, 10.0, 80.0), 80.0)


class Terminal:
    """What a person sees, and the view that draws it."""

    def __init__(self, columns: int = COLUMNS) -> None:
        self.columns = columns
        self._screen = pyte.Screen(columns, ROWS)
        # As a terminal does for programs: a newline also returns.
        self._screen.set_mode(pyte.modes.LNM)
        self._feeder = pyte.ByteStream(self._screen)
        self._stream = io.BytesIO()
        self.view = PlainLines(
            self._stream,
            self._note,
            ZONE,
            has_colours=True,
            width=lambda: self.columns,
            has_status=True,
        )

    def _note(self, text: str) -> None:
        self._show()
        self._feeder.feed(f"{text}\n".encode())

    def _show(self) -> None:
        self._feeder.feed(self._stream.getvalue())
        self._stream.seek(0)
        self._stream.truncate()

    @property
    def cursor(self) -> tuple[int, int]:
        """The cursor's column and row, from 0."""
        self._show()
        return self._screen.cursor.x, self._screen.cursor.y

    @property
    def lines(self) -> Sequence[str]:
        """The lines that are not empty."""
        self._show()
        return [line.rstrip() for line in self._screen.display if line.strip()]


_STEPS = st.lists(
    st.tuples(st.just("show"), st.lists(st.text(max_size=90), min_size=1, max_size=2))
    | st.tuples(st.just("tell"), st.integers(0, 9))
    | st.tuples(st.just("say"), st.just("note")),
    max_size=12,
)


@settings(deadline=None)
@given(_STEPS)
def test_the_status_line_never_garbles_the_lines(steps: list[tuple[str, list[str] | int]]) -> None:
    """Each event and note has a line, in order and whole; the status stands below all of them."""
    terminal, last = Terminal(), None
    expected: list[str] = []
    for kind, content in steps:
        if kind == "show":
            assert isinstance(content, list)
            if not any(line.startswith("──") for line in expected):
                expected.append("── Saturday, 2026-01-31")
            terminal.view.show([event(1, f"{len(expected)}:{text}") for text in content])
            expected += [f"23:59:58.000 info     e {len(expected)}:"] * len(content)
        elif kind == "tell":
            assert isinstance(content, int)
            terminal.view.tell(status(content), 0)
            last = f"──  12 lines/s  errors 5.0 %  429s {content}  p95 80 ms   ▁█"
        else:
            terminal.view.say("note")
            expected.append("note")
    found = terminal.lines
    assert len(found) == len(expected) + (last is not None)
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=False))
    if last is not None:
        assert found[-1] == last
    terminal.view.close()
    assert len(terminal.lines) == len(expected)


def test_a_day_that_begins_is_told_once() -> None:
    """On a terminal a rule names the day of what follows; times of day are enough then."""
    terminal = Terminal()
    terminal.view.show([event(n, at=AT + timedelta(seconds=n)) for n in range(4)])
    assert [line[:23] for line in terminal.lines] == [
        "── Saturday, 2026-01-31",
        "23:59:58.000 info     e",
        "23:59:59.000 info     e",
        "── Sunday, 2026-02-01 ─",
        "00:00:00.000 info     e",
        "00:00:01.000 info     e",
    ]


def test_a_narrow_terminal_shows_what_matters() -> None:
    """The status gives up its last figures, and lines are cut; nothing wraps."""
    terminal = Terminal(columns=32)
    terminal.view.show([event(1, "long " * 30)])
    terminal.view.tell(status(3), 5 << 20)
    assert terminal.lines[1:] == [
        "23:59:58.000 info     e long lo…",
        "──  12 lines/s  5 MiB behind",
    ]


def test_a_terminal_made_narrower_keeps_no_rest_of_the_status_line() -> None:
    """Lines that come before the next figures do not bring the wide status line back.

    The cursor waits at its beginning, from where a terminal that has broken it in two clears both.
    """
    terminal = Terminal()
    terminal.view.tell(status(3), 0)
    assert terminal.cursor == (0, 0)
    terminal.columns = 32
    terminal.view.show([event(1)])
    assert terminal.lines[-1] == "──  12 lines/s  errors 5.0 %"
    assert terminal.cursor == (0, 2)


def test_a_pipe_gets_a_line_an_event() -> None:
    """Nothing is cut, coloured or added; the date is in each line."""
    stream, said = io.BytesIO(), list[str]()
    view = PlainLines(stream, said.append, ZONE)
    view.show([event(1, "long " * 100), event(2)])
    view.tell(status(1), 0)
    view.say("bot.log: gone")
    view.close()
    assert stream.getvalue().decode().splitlines() == [
        f"2026-01-31T23:59:58.000Z info     e {'long ' * 100}".rstrip(),
        "2026-01-31T23:59:58.000Z info     e",
    ]
    assert said == ["bot.log: gone"]


def test_json_lines_are_those_of_sql() -> None:
    """Each event is an object with its fields, the other keys under ``fields``, and its place."""
    stream, said = io.BytesIO(), list[str]()
    view = JsonLines(stream, said.append)
    one = LiveEvent(
        "a.log", 5, AT, {"level": "info", "status_code": 200}, '{"n":{"big":18446744073709551615}}'
    )
    view.show([one, LiveEvent("a.log", 9, None, {"message": "{"}, reject_reason="invalid_json")])
    lines = stream.getvalue().decode().splitlines()
    assert lines[0] == (
        '{"timestamp":"2026-01-31T23:59:58.000Z","level":"info","status_code":200,'
        '"fields":{"n":{"big":18446744073709551615}},"source_file":"a.log","source_offset":5}'
    )
    assert json.loads(lines[1]) == {
        "message": "{",
        "source_file": "a.log",
        "source_offset": 9,
        "reject_reason": "invalid_json",
    }
