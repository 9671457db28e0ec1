"""The full screen of a live view, as somebody at its keys sees it."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from logkit_analysis.live.event import LiveEvent
from logkit_analysis.live.feed import Feed
from logkit_analysis.live.filters import Selection
from logkit_analysis.live.merged_sources import MergedSources
from logkit_analysis.live.rates import Rates, Status
from logkit_analysis.live.screen.app import TailApp
from logkit_analysis.live.screen.bars import Figures
from logkit_analysis.live.screen.full_screen import WatchedFiles
from logkit_analysis.live.screen.keys import help_lines
from logkit_analysis.sources.pace import Pace
from textual.color import Color
from textual.events import Paste

from tests.analysis.live.sent import Sent, event
from tests.analysis.live.viewer import append, line, viewing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

    from textual.pilot import Pilot

STATUS = Status(
    lines_per_s=1234.5,
    requests=100,
    errors=2,
    error_ratio=0.02,
    rate_limited=7,
    rejects=0,
    p95_ms=(None, 200.0, 340.0),
    last_p95_ms=340.0,
)
HOSTILE = "[red]x[/red] [@click=quit] \x1b[31m\x1b]0;t\x07 \u202e\u200b\r\n{end}"
HEIGHT = 20
PAGE = HEIGHT - 3


@dataclass(slots=True)
class Screen:
    """A running app, and what is put before it."""

    app: TailApp
    pilot: Pilot[None]
    source: Sent

    def lines(self) -> list[str]:
        """Return what the terminal shows."""
        self.app.screen.refresh()
        strips = self.app.screen._compositor.render_strips()
        return [strip.text.rstrip() for strip in strips]

    def page(self) -> list[str]:
        """Return the last word of each log line, ``line 12`` as ``12``."""
        return [line.split()[-1] for line in self.lines()[1 : PAGE + 1] if line]

    def bar(self) -> str:
        """Return the bar that says whether it is paused."""
        return self.lines()[-2].strip()

    async def until(self, is_met: Callable[[], object]) -> None:
        """Wait until it is met."""
        end = time.monotonic() + 60
        while not is_met():
            assert time.monotonic() < end, "\n".join(self.lines())
            await asyncio.sleep(0.01)

    async def sees(self, words: str) -> None:
        """Wait until *words* are on the screen."""
        await self.until(lambda: any(words in line for line in self.lines()))

    async def shows(self, count: int) -> None:
        """Wait until there are *count* log lines."""
        await self.until(lambda: len(self.page()) == count)

    async def send(self, events: Sequence[LiveEvent]) -> None:
        """Let *events* come, and wait until all have been taken."""
        self.source.queue.put(events)
        await self.until(self.source.queue.empty)
        self.source.asked.clear()
        await self.until(self.source.asked.is_set)
        self.app.take_in()

    async def press(self, *keys: str) -> None:
        """Press *keys*."""
        await self.pilot.press(*keys)


@asynccontextmanager
async def showing(
    first: Sequence[LiveEvent], *, size: tuple[int, int] = (100, HEIGHT), zone: str = "UTC"
) -> AsyncIterator[Screen]:
    """Yield the screen once it shows *first*."""
    source = Sent(first)
    feed = Feed(source)
    app = TailApp(
        feed,
        figures=lambda: Figures(STATUS, ("bot.log", "worker.log"), 0),
        selected="-f service=bot",
        level=None,
        zone=ZoneInfo(zone),
    )
    async with app.run_test(size=size) as pilot:
        screen = Screen(app, pilot, source)
        await screen.until(lambda: len(app.pane.reading.history) == len(first))
        await pilot.pause()
        yield screen
        app.exit()
    feed.stop()


def told(start: int, end: int) -> list[LiveEvent]:
    """Return the events of these numbers."""
    return [event(number) for number in range(start, end)]


def numbers(start: int, end: int) -> list[str]:
    """Return what `Screen.page` gives for them."""
    return [str(number) for number in range(start, end)]


def run(steps: Callable[[], Awaitable[None]]) -> None:
    """Run *steps* in a loop of their own."""

    async def all_steps() -> None:
        await steps()

    asyncio.run(all_steps())


def test_a_pause_is_seen_keeps_the_place_and_goes_on_where_it_stood() -> None:
    """Lines flow; paused they stay, what is new is counted, and no line is jumped over."""

    async def steps() -> None:
        async with showing(told(0, 30)) as screen:
            assert screen.page() == numbers(30 - PAGE, 30)
            assert screen.bar().startswith("LIVE  q quit  ? help  space pause")
            assert "1,234 lines/s" in screen.lines()[-1]
            assert "errors 2.0 %  429s 7  p95 340 ms" in screen.lines()[-1]
            assert screen.lines()[0].strip() == "-f service=bot  bot.log and 1 more  2026-03-01 UTC"
            await screen.send(told(30, 40))
            assert screen.page() == numbers(40 - PAGE, 40)
            await screen.press("space")
            await screen.send(told(40, 1_090))
            assert screen.page() == numbers(40 - PAGE, 40)
            assert screen.bar().startswith("PAUSED  1,050 new below  space resumes")
            await screen.press("space")
            assert screen.page() == numbers(40, 40 + PAGE)
            assert screen.bar().startswith("CATCHING UP  1,033 new below  space next page")
            await screen.press("space")
            assert screen.page() == numbers(40 + PAGE, 40 + 2 * PAGE)
            await screen.press("G")
            assert screen.page() == numbers(1_090 - PAGE, 1_090)
            assert screen.bar().startswith("LIVE")
            await screen.press("up", "up")
            await screen.send(told(1_090, 1_095))
            assert screen.bar().startswith("PAUSED  5 new below")
            await screen.press("space")
            assert screen.page() == numbers(1_095 - PAGE, 1_095)
            await screen.press("g")
            assert screen.page() == numbers(0, PAGE)
            await screen.press("pagedown", "down")
            assert screen.page() == numbers(PAGE - 1, 2 * PAGE - 1)
            await screen.press("q")
        assert screen.app.return_code == 0

    run(steps)


def test_one_key_opens_an_event_and_another_its_neighbours() -> None:
    """Enter shows the JSON of the line under the cursor; closed, the lines stand as before."""

    async def steps() -> None:
        async with showing([*told(0, 29), event(29, user_id="u-17")]) as screen:
            before = screen.page()
            await screen.press("enter")
            await screen.sees('"user_id": "u-17"')
            assert "esc closes" in screen.bar()
            await screen.press("left")
            await screen.sees('"message": "line 28"')
            await screen.press("right", "right", "space")
            await screen.sees('"message": "line 29"')
            await screen.send(told(30, 40))
            await screen.press("escape")
            assert screen.page() == before
            assert screen.bar().startswith("PAUSED  10 new below")
            await screen.press("question_mark")
            await screen.sees("pause, move the cursor")
            await screen.press("q")
            assert screen.page() == before

    run(steps)


def test_a_correlation_id_is_followed_across_files_and_back() -> None:
    """T shows the events of one id, also those that come; t or Esc goes back to the place."""

    async def steps() -> None:
        mine = [
            event(number, file=file, correlation_id="c-1", level=level)
            for number, file, level in ((5, "bot.log", "debug"), (20, "worker.log", "info"))
        ]
        first = sorted([*told(0, 30), *mine], key=lambda one: one.offset)
        async with showing(first) as screen:
            await screen.press("t")
            await screen.sees("this line has no correlation id")
            while screen.app.pane.current is not mine[1]:
                await screen.press("up")
            before = screen.page()
            for back in ("escape", "t"):
                await screen.press("t")
                await screen.sees("TRACE c-1  esc back")
                await screen.shows(2 if back == "escape" else 3)
                assert screen.bar().startswith("LIVE")
                known = screen.page()
                await screen.send([event(99, correlation_id="c-1"), *told(40, 50)])
                assert screen.page() == [*known, "correlation_id=c-1"]
                await screen.press(back)
                assert screen.page() == before
                assert screen.bar().startswith("PAUSED")
            assert "22 new below" in screen.bar()

    run(steps)


def test_a_filter_is_typed_and_bad_input_is_told() -> None:
    """It sifts what is held and what comes; taken away, all is back."""

    async def steps() -> None:
        first = [
            event(number, status_code=429 if number % 10 == 0 else 200, message=None, endpoint="/a")
            for number in range(100)
        ]

        async def typed(text: str) -> None:
            await screen.press("slash", "ctrl+u")
            screen.app.post_message(Paste(text))
            await screen.press("enter")

        def count() -> int:
            return len(screen.app.pane.reading.history)

        async with showing(first) as screen:
            await typed("status_code=4x9")
            await screen.sees("status_code is a number and '4x9' is none")
            await screen.press("escape")
            assert count() == 100
            await typed("status_code=429 endpoint~=A")
            await screen.until(lambda: count() == 10)
            assert "/ status_code=429 endpoint~=A" in screen.lines()[0]
            await screen.send([event(200, status_code=429, endpoint="/a"), event(201)])
            assert count() == 11
            await typed("message~=timed out")
            await screen.sees(" out: write key=value")
            await screen.press("escape")
            await typed("status_code=500")
            await screen.sees("nothing matches so far")
            await typed("leve=error")
            await screen.sees("no field is named leve; did you mean level?")
            await typed("status_code > 300 and")
            await screen.sees("syntax error")
            await screen.press("escape")
            await typed("status_code > 300")
            await screen.until(lambda: screen.lines()[0].startswith(" / status_code > 300"))
            await typed("cast(message as integer) = 200")
            await screen.sees("filter taken away")
            await screen.until(lambda: count() == 102)

    run(steps)


def test_levels_are_hidden_and_come_back() -> None:
    """L goes through the levels; what was hidden is shown again with the lowest."""

    async def steps() -> None:
        levels = ("debug", "info", "warning", "error", "critical", None)
        first = [event(number, level=level) for number, level in enumerate(levels)]
        async with showing(first) as screen:
            for count in (4, 3, 2, 1, 6):
                await screen.press("l")
                await screen.shows(count)
            await screen.press("l", "l")
            await screen.sees("warning and worse")
            await screen.send([event(9, level="debug"), event(10, level="error")])
            assert screen.page() == ["2", "3", "4", "10"]

    run(steps)


def test_patterns_are_counted_and_renewed() -> None:
    """P shows the kinds of lines, with counts, times and what came since."""

    async def steps() -> None:
        first = [*told(0, 12), event(12, event="left", level="error", message="user 7 left")]
        async with showing(first) as screen:
            await screen.press("p")
            await screen.sees("2 patterns of the 13 lines that are held")
            await screen.sees("12  info      14:00:00  14:00:11  told  line *")
            await screen.sees(" 1  error     14:00:12  14:00:12  left  user * left")
            await screen.send(told(13, 21))
            await screen.sees("20  info")
            await screen.press("escape")
            assert screen.bar().startswith("LIVE")

    run(steps)


def test_content_is_shown_and_never_obeyed() -> None:
    """Markup, escapes and bidi controls are text, in lines, details, patterns and titles."""

    async def steps() -> None:
        evil = event(1, message=HOSTILE, event=HOSTILE, correlation_id=HOSTILE, file=HOSTILE)
        reject = LiveEvent(HOSTILE, 2, None, {"message": HOSTILE}, reject_reason="invalid_json")
        async with showing([evil, reject, evil], size=(200, 40)) as screen:
            for keys in ((), ("enter",), ("escape", "p"), ("escape", "t"), ("escape",)):
                await screen.press(*keys)
                await screen.sees(
                    "[red]x[/red] [@click=quit] \\x1b[31m\\x1b]0;t\\x07 \\u202e\\u200b"
                )
                text = "".join(screen.lines())
                assert not set(text) & set("\x1b\x07\u202e\u200b\r\n")
            await screen.press("slash", "left_square_bracket", "x", "enter")
            await screen.sees("syntax error")

    run(steps)


def test_an_odd_event_is_shown_as_any_other() -> None:
    """A clock that was never set, in a zone that has no such time; values nested without end."""

    async def steps() -> None:
        deep = f'{{"deep":{"[" * 900}{"]" * 900}}}'
        first = LiveEvent("a", 1, datetime.min.replace(tzinfo=UTC), {"message": "never set"}, deep)
        async with showing([first], zone="America/New_York") as screen:
            await screen.sees("never set")
            assert "America/New_York" in screen.lines()[0]
            await screen.press("p")
            await screen.sees("1 patterns")
            await screen.press("escape", "enter")
            await screen.sees("line 1 of 1")

    run(steps)


def test_a_smaller_terminal_keeps_the_cursor() -> None:
    """60 columns and a few rows are enough, and a resize loses no place."""

    async def steps() -> None:
        async with showing(told(0, 50)) as screen:
            await screen.press("up", "up")
            await screen.pilot.resize_terminal(60, 8)
            await screen.until(lambda: len(screen.lines()) == 8)
            assert screen.lines()[-3].endswith("47")
            assert screen.bar().startswith("PAUSED  nothing new yet")
            await screen.pilot.resize_terminal(100, HEIGHT)
            await screen.until(lambda: len(screen.lines()) == HEIGHT)
            assert screen.page() == numbers(50 - PAGE, 50)

    run(steps)


def test_help_has_the_whole_screen_and_so_has_all_that_opens_on_a_low_one() -> None:
    """Where there is no room for both, what was opened goes before the lines."""

    async def steps() -> None:
        async with showing(told(0, 50)) as screen:
            await screen.press("up", "question_mark")
            await screen.until(lambda: "line 4" not in "".join(screen.lines()))
            await screen.press("escape")
            await screen.until(lambda: screen.page() == numbers(50 - PAGE, 50))
            await screen.pilot.resize_terminal(60, 12)
            await screen.press("enter")
            await screen.until(lambda: '"message": "line 48"' in screen.lines()[-4])
            await screen.pilot.resize_terminal(100, HEIGHT)
            await screen.sees("info     told line 48")

    run(steps)


@pytest.mark.parametrize("has_colours", [True, False], ids=["colours", "NO_COLOR"])
def test_colours_are_the_terminals_own_or_none(
    monkeypatch: pytest.MonkeyPatch, has_colours: bool
) -> None:
    """No colour is chosen by number; without colours a pause is still loud."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    if not has_colours:
        monkeypatch.setenv("NO_COLOR", "1")

    async def steps() -> None:
        async with showing([event(0, level="error")]) as screen:
            await screen.press("space")
            await screen.sees("PAUSED")
            rendered = screen.app.screen._compositor.render_strips()
            filtered = [
                strip.apply_filter(one, Color(0, 0, 0))
                for strip in rendered
                for one in screen.app._filters
                if one.enabled
            ] or rendered
            styles = [segment.style for strip in filtered for segment in strip if segment.style]
            colours = {one for style in styles for one in (style.color, style.bgcolor) if one}
            assert all(one.is_default or one.number is not None for one in colours)
            assert any(not one.is_default for one in colours) == has_colours
            assert any(style.reverse and style.bold for style in styles) == (not has_colours)

    run(steps)


def test_a_log_that_cannot_be_read_on_ends_the_screen() -> None:
    """The error is left to whoever started it."""

    async def steps() -> None:
        async with showing(told(0, 3)) as screen:
            screen.source.queue.put(OSError("gone"))
            await screen.until(lambda: not screen.app.is_running)

    run(steps)


class LongLines(MergedSources):
    """A log of twenty events of 8 MB."""

    def __init__(self) -> None:
        super().__init__([], None, Pace())

    def backlog(
        self,
        selection: Selection,
        *,
        count: int | None,
        since: datetime | None,
    ) -> Iterator[Sequence[LiveEvent]]:
        """Yield them one by one."""
        return ([event(number, error_stack="x" * 8_000_000)] for number in range(20))


def test_long_lines_to_begin_with_take_no_more_memory_than_others() -> None:
    """All since a time may be gigabytes: what is held of them is bounded by bytes too."""
    rates = Rates(time.monotonic())
    watched = WatchedFiles(LongLines(), Selection(), Selection(), rates, None, None)
    assert [one.offset for one in watched.first()] == list(range(12, 20))


def test_what_the_level_hid_before_the_start_can_be_shown(tmp_path: Path) -> None:
    """The last lines of any level are held beside the last ones that are shown, in order."""
    log = tmp_path / "bot.log"
    levels = ("error" if number in (3, 5, 18) else "info" for number in range(20))
    append(log, *(line(number, level=level) for number, level in enumerate(levels)))
    with viewing(log) as viewer:
        rates = Rates(time.monotonic())
        watched = WatchedFiles(viewer.files, Selection("error"), Selection(), rates, 4, None)
        assert [one.columns["seq"] for one in watched.first()] == [3, 5, 16, 17, 18, 19]


def test_every_key_is_in_the_guide() -> None:
    """What the help lists, the guide explains."""
    guide = (Path(__file__).parents[3] / "docs/how-to/tail.md").read_text(encoding="utf-8")
    listed = guide.partition("| key | does |")[2].partition("\n\n")[0]
    rows = [row.split("|")[1].strip() for row in listed.splitlines()[2:]]
    keys = [line.plain.partition("  ")[0].strip() for line in help_lines()]
    assert rows == keys[: keys.index("")]
