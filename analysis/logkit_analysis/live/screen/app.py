"""The full screen of ``logkit tail``."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.events import Key

from logkit_analysis.errors import UsageError
from logkit_analysis.live.detail import detail
from logkit_analysis.live.files import WAITING
from logkit_analysis.live.lines import Widths, in_zone, line
from logkit_analysis.live.patterns import find_patterns
from logkit_analysis.live.screen import bars
from logkit_analysis.live.screen.bar import Bar
from logkit_analysis.live.screen.keys import BINDINGS, IN_PROMPT, NOT_IN_PANEL, help_lines
from logkit_analysis.live.screen.line_view import LineView
from logkit_analysis.live.screen.pane import Pane
from logkit_analysis.live.screen.panel import Kind, Panel
from logkit_analysis.live.screen.pattern_lines import pattern_lines
from logkit_analysis.live.screen.prompt import Prompt
from logkit_analysis.live.view_filter import ViewFilter
from logkit_analysis.renderers.escaping import escape_controls

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

    from rich.text import Text
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.events import Event

    from logkit_analysis.live.event import LiveEvent
    from logkit_analysis.live.feed import Arrival, Feed
    from logkit_analysis.live.patterns import Pattern
    from logkit_analysis.live.screen.bars import Figures

# How often what came is shown; keys are answered in between.
_TICK_S = 0.1
_PATTERNS_S = 2.0
_STATUS_S = 0.5
# Cells of a panel's margins and scroll bar.
_PANEL_FRAME = 3
# Lower terminals have no room for lines beside a panel.
_LOW = 16
# Narrower terminals have no room for aligned columns.
_NARROW = 80
_LEVELS = (None, "info", "warning", "error", "critical")


class TailApp(App[None]):
    """Shows a feed until it is told to end.

    Args:
        feed: What is watched. It has not been started yet.
        figures: Returns what the status line tells.
        selected: What the command line selects, for people.
        level: The lowest level to begin with.
        zone: Zone of the times.
        notes: What else there is to say; may get longer.
    """

    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = "screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = BINDINGS

    def __init__(
        self,
        feed: Feed,
        *,
        figures: Callable[[], Figures],
        selected: str,
        level: str | None,
        zone: tzinfo,
        notes: Sequence[str] = (),
    ) -> None:
        # The terminal's own colours: they suit its background, light or dark.
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"
        self.animation_level = "none"
        self._feed = feed
        self._figures = figures
        self._selected = selected
        self._zone = zone
        self._notes = notes
        self._note_count = 0
        self._widths = Widths()
        self._panes = [Pane(0, ViewFilter(level, zone=str(zone)))]
        self._next_number = 0
        self._said = ""
        self._lines = LineView(self.pane.reading, self._draw)
        self._panel = Panel()
        self._prompt = Prompt()
        self._title, self._state, self._status = (
            Bar(name) for name in ("title", "state", "status")
        )

    @property
    def pane(self) -> Pane:
        """What is shown."""
        return self._panes[-1]

    def compose(self) -> ComposeResult:
        """Return the parts, from top to bottom."""
        yield self._title
        yield self._lines
        yield self._panel
        yield self._prompt
        yield self._state
        yield self._status

    def on_mount(self) -> None:
        """Begin to watch."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Signals reach the main thread alone; elsewhere there is none to be told of.
            with suppress(ValueError, RuntimeError):
                loop.add_signal_handler(number, self.exit)
        # Somebody else has written on the terminal since ctrl-z.
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        self._watch(self.pane)
        self._feed.start()
        self.screen.set_focus(self._lines)
        self.set_interval(_TICK_S, self.take_in)
        self.set_interval(_STATUS_S, self._tell_figures)
        self.set_interval(_PATTERNS_S, self._refresh_patterns)
        self._tell_figures()

    def _fatal_error(self) -> None:
        """Leave the account of an error to the command, as all others do."""
        self._close_messages_no_wait()

    def _draw(self, event: LiveEvent) -> Text:
        widths = self._widths if self.size.width >= _NARROW else Widths()
        return line(event, zone=self._zone, widths=widths)

    def _watch(self, pane: Pane, kept: Sequence[LiveEvent] = ()) -> None:
        self._feed.watch(pane.number, pane.view_filter, kept)

    def take_in(self) -> None:
        """Show what has come."""
        if self._feed.error is not None:
            self.exit()
            return
        if len(self._notes) > self._note_count:
            self._note_count = len(self._notes)
            self._say(self._notes[-1])
        if self._said.partition(WAITING)[0] in self._figures().files:
            self._said = ""
        arrivals = self._feed.take()
        for arrival in arrivals:
            for pane in self._panes:
                if pane.number == arrival.watcher:
                    self._hand(arrival, pane)
        if arrivals:
            self._show()

    def _hand(self, arrival: Arrival, pane: Pane) -> None:
        if arrival.problem is None:
            pane.take(arrival)
            return
        self._say(f"filter taken away: {arrival.problem}")
        self._sift(replace(pane.view_filter, text=""), pane)

    def _show(self) -> None:
        """Draw the page as it is now."""
        reading = self.pane.reading
        if self._lines.reading is not reading:
            self._lines.show(reading)
        if self._has_grown(reading.history.page(reading.top, reading.height)):
            self._lines.redraw()
        self._lines.refresh_page()
        self._tell()

    def _has_grown(self, page: Sequence[LiveEvent]) -> bool:
        """Return whether the events of *page* need wider columns than those before."""
        widths = self._widths
        before = (len(widths.services), widths.service, widths.event)
        widths.grow(page)
        return before != (len(widths.services), widths.service, widths.event)

    def _tell(self) -> None:
        """Tell what is shown and whether it is paused."""
        reading, width = self.pane.reading, self.size.width
        self._make_room()
        self._lines.tell(self._emptiness())
        self._state.set_class(reading.is_paused, "paused")
        self._state.tell(bars.state(reading, self._panel.keys, width))
        if self._said:
            text = bars.fitted([(self._said, "bold yellow")], width)
        else:
            files = self._figures().files
            text = bars.title(files, self._selected, self.pane.view_filter, self._day(), width)
        self._title.tell(text)

    def _make_room(self) -> None:
        """Hide the lines where a panel needs the whole height."""
        kind = self._panel.kind
        is_whole = kind is Kind.HELP or (kind is not None and self.size.height < _LOW)
        self._panel.set_class(is_whole, "whole")
        self._lines.display = not is_whole

    def _emptiness(self) -> str:
        """Return why no line is shown."""
        if not self.pane.is_filled:
            return "reading"
        if self.pane.view_filter.text or self.pane.view_filter.level:
            return "nothing matches so far; / changes the filter, l the level"
        return "no lines so far"

    def _day(self) -> str:
        """Return the date of the current line, since lines have the time of day alone."""
        event = self.pane.current
        if event is None or event.at is None:
            return str(self._zone)
        return f"{in_zone(event.at, self._zone):%Y-%m-%d} {self._zone}"

    def _tell_figures(self) -> None:
        self._tell()
        self._status.tell(bars.status(self._figures(), self.size.width))

    def _say(self, words: str) -> None:
        """Say something until the next key."""
        self._said = escape_controls(words)
        self._tell()

    async def on_event(self, event: Event) -> None:
        """Take back what was said at the next key."""
        if isinstance(event, Key) and self._said:
            self._said = ""
            self._tell()
        await super().on_event(event)

    def on_line_view_resized(self) -> None:
        """Fit the bars to the terminal."""
        self._show()
        self._tell_figures()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key may do *action*: not what is typed, nor what a panel covers."""
        if self._prompt.display and action not in IN_PROMPT:
            return False
        if self._panel.kind is not None and action in NOT_IN_PANEL:
            return False
        return super().check_action(action, parameters)

    def action_pause_or_resume(self) -> None:
        """Pause, or go on."""
        reading = self.pane.reading
        if reading.is_paused:
            reading.resume()
        else:
            reading.pause()
        self._show()

    def action_move(self, lines: int) -> None:
        """Move the cursor."""
        self.pane.reading.move(lines)
        self._show()

    def action_turn(self, pages: int) -> None:
        """Turn pages."""
        self.pane.reading.turn(pages)
        self._show()

    def action_oldest(self) -> None:
        """Go to the oldest line."""
        self.pane.reading.go_oldest()
        self._show()

    def action_newest(self) -> None:
        """Go to the newest line and follow."""
        self.pane.reading.go_newest()
        self._show()

    def action_shift(self, steps: int) -> None:
        """Show other parts of long lines."""
        self._lines.shift(steps)

    def action_level(self) -> None:
        """Show the next higher levels only, after the highest all."""
        view_filter = self.pane.view_filter
        levels = (*_LEVELS, *_LEVELS)
        place = levels.index(view_filter.level) if view_filter.level in levels else 0
        self._sift(replace(view_filter, level=levels[place + 1]), self.pane)

    def _sift(self, view_filter: ViewFilter, pane: Pane) -> None:
        """Let *pane* show other events."""
        pane.view_filter = view_filter
        self._watch(pane, tuple(pane.reading.history))
        self._tell()

    def action_filter(self) -> None:
        """Let a filter be typed."""
        self._prompt.open(self.pane.view_filter.text)

    def on_prompt_typed(self, event: Prompt.Typed) -> None:
        """Apply the filter, or say what is wrong with it."""
        try:
            view_filter = replace(self.pane.view_filter, text=event.text)
        except UsageError as error:
            self._prompt.refuse(str(error).removeprefix("--where: ").removeprefix("-f "))
            return
        self._close()
        self._sift(view_filter, self.pane)
        for note in view_filter.notes:
            self._say(note.removeprefix("-f "))

    def action_trace(self) -> None:
        """Follow the correlation id of the current line, or go back."""
        self._close()
        if self.pane.view_filter.correlation_id is not None:
            self.action_leave()
            return
        event = self.pane.current
        found = event.columns.get("correlation_id") if event else None
        if found is None:
            self._say("this line has no correlation id")
            return
        main = self.pane
        main.reading.pause()
        self._next_number += 1
        view_filter = ViewFilter(correlation_id=found, zone=main.view_filter.zone)
        self._panes.append(Pane(self._next_number, view_filter))
        self._watch(self.pane, tuple(main.reading.history))
        self._show()

    def action_leave(self) -> None:
        """Close what is open, or return from a correlation id."""
        if not self._close() and len(self._panes) > 1:
            self._feed.leave(self._panes.pop().number)
            self._show()

    def action_end(self) -> None:
        """Close what is open, or end."""
        if not self._close():
            self.exit()

    def _close(self) -> bool:
        """Close the prompt and the panel; return whether one was open."""
        was_open = self._prompt.display or self._panel.kind is not None
        self._prompt.close()
        self._panel.close()
        self._tell()
        self.screen.set_focus(self._lines)
        return was_open

    def action_detail(self) -> None:
        """Open the event under the cursor."""
        event, reading = self.pane.current, self.pane.reading
        if event is not None:
            reading.pause()
            place = reading.cursor - reading.history.first + 1
            title = f"line {place:,} of {len(reading.history):,}"
            self._panel.open(Kind.DETAIL, title, detail(event, self._zone))
            self._show()

    def on_panel_stepped(self, event: Panel.Stepped) -> None:
        """Open the event before or after."""
        reading = self.pane.reading
        if self._panel.kind is Kind.DETAIL and reading.cursor + event.lines < reading.history.end:
            reading.move(event.lines)
            self.action_detail()

    def action_patterns(self) -> None:
        """Open the patterns of what is held."""
        self._panel.open(Kind.PATTERNS, "patterns", [])
        self._tell()
        self._refresh_patterns()

    def _refresh_patterns(self) -> None:
        if self._panel.kind is Kind.PATTERNS:
            events = tuple(self.pane.reading.history)
            find = partial(find_patterns, events)
            self.run_worker(self._open_patterns(find, len(events)), exclusive=True)

    async def _open_patterns(self, find: Callable[[], list[Pattern]], count: int) -> None:
        found = await asyncio.to_thread(find)
        if self._panel.kind is Kind.PATTERNS:
            title = f"{len(found):,} patterns of the {count:,} lines that are held"
            self._panel.open(
                Kind.PATTERNS,
                title,
                pattern_lines(found, self._zone, self.size.width - _PANEL_FRAME),
            )

    def action_help(self) -> None:
        """Open the help."""
        self._panel.open(Kind.HELP, "keys", help_lines())
        self._tell()
