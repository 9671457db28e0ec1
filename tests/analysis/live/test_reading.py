"""Reading in a log that goes on growing: the place stays, nothing is jumped over."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logkit_analysis.live.event import LiveEvent
from logkit_analysis.live.history import History
from logkit_analysis.live.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Callable

HEIGHT = 10
_numbers = count()


def events(how_many: int, message: str = "") -> list[LiveEvent]:
    """Return new events."""
    return [
        LiveEvent("bot.log", next(_numbers), None, {"message": message}) for _ in range(how_many)
    ]


def reading(how_many: int, *, most: int = 1_000) -> Reading:
    """Return a reading of a history that holds *how_many* events."""
    history = History(most_events=most)
    history.add(events(how_many))
    return Reading(history, HEIGHT)


def grow(read: Reading, how_many: int) -> None:
    """Let new events come."""
    read.history.add(events(how_many))
    read.follow()


def page(read: Reading) -> tuple[int, int]:
    """Return the places of the page."""
    return read.top, read.bottom


def test_a_history_keeps_the_newest_events_under_their_numbers() -> None:
    """Memory is bounded by count, and numbers go on."""
    history = History(most_events=3)
    sent = events(5)
    history.add(sent)
    assert (history.first, history.end, len(history)) == (2, 5, 3)
    assert list(history) == sent[2:] == history.page(0, 9) == [history[n] for n in (2, 3, 4)]
    with pytest.raises(IndexError):
        history[1]


def test_a_history_of_long_events_keeps_fewer() -> None:
    """Memory is bounded by size as well, and an event that alone is too long is shown."""
    history = History(most_bytes=10_000)
    history.add(events(5, "x" * 4_000))
    assert len(history) == 2
    history.add(events(1, "x" * 40_000))
    assert len(history) == 1


def test_the_newest_event_is_at_the_bottom_while_nobody_pauses() -> None:
    """A view that is not paused follows."""
    read = reading(25)
    assert page(read) == (15, 25)
    grow(read, 100)
    assert (page(read), read.cursor, read.new_count) == ((115, 125), 124, 0)


def test_a_pause_keeps_the_page_as_it_is_and_counts_what_comes() -> None:
    """Nothing moves, and what is new is counted, also on a page that is not full."""
    for read in (reading(25), reading(4)):
        before = page(read)
        read.pause()
        grow(read, 100)
        assert (page(read), read.new_count) == (before, 100)


def test_going_on_shows_the_first_event_that_was_missed() -> None:
    """No event is jumped over: each page of missed events waits to be read, then it follows."""
    read = reading(25)
    read.pause()
    grow(read, 25)
    pages = []
    while read.is_paused:
        read.resume()
        pages.append(page(read))
    assert pages == [(25, 35), (35, 45), (40, 50)]
    assert not read.is_catching_up
    grow(read, 1)
    assert page(read) == (41, 51)


def test_going_on_after_reading_old_lines_is_going_on_where_it_stood() -> None:
    """Scrolling back does not make what was missed count as seen."""
    read = reading(50)
    read.turn(-2)
    grow(read, 30)
    read.go_oldest()
    read.resume()
    assert page(read) == (50, 60)
    read.go_newest()
    assert page(read) == (70, 80)


def test_what_is_new_is_told_from_what_was_there() -> None:
    """The events since the pause can be marked."""
    read = reading(25)
    read.pause()
    grow(read, 25)
    read.resume()
    assert [read.is_new(place) for place in (24, 25, 49)] == [False, True, True]
    read.go_newest()
    assert not read.is_new(49)


def test_memory_that_runs_out_during_a_pause_is_told() -> None:
    """The page stays while it can; then the oldest there is are shown and the loss is counted."""
    read = reading(25, most=100)
    read.pause()
    grow(read, 75 + 15)
    assert (page(read), read.dropped_count) == ((15, 25), 15)
    grow(read, 100)
    assert (page(read), read.dropped_count, read.new_count) == ((115, 125), 115, 90)
    read.go_newest()
    assert read.dropped_count == 0


@pytest.mark.parametrize(
    ("lines", "cursor", "top"),
    [
        pytest.param(-3, 21, 15, id="within the page"),
        pytest.param(-12, 12, 12, id="above it"),
        pytest.param(-99, 0, 0, id="beyond the oldest"),
    ],
)
def test_the_page_goes_with_the_cursor(lines: int, cursor: int, top: int) -> None:
    """Moving the cursor pauses."""
    read = reading(25)
    read.move(lines)
    assert (read.is_paused, read.cursor, read.top) == (True, cursor, top)


def test_down_from_the_newest_event_is_back_to_following() -> None:
    """Who reads on to the end follows again; a step before it he does not."""
    read = reading(25)
    read.move(-1)
    read.move(1)
    assert read.is_paused
    read.move(1)
    assert not read.is_paused
    read.turn(-1)
    for _ in range(3):
        read.turn(1)
    assert not read.is_paused


def test_a_smaller_page_keeps_the_cursor_on_it() -> None:
    """A terminal made smaller does not lose the place."""
    read = reading(50)
    read.move(-1)
    read.resize(4)
    assert (read.cursor, page(read)) == (48, (45, 49))
    read.resize(0)
    assert page(read) == (48, 49)
    read.resize(HEIGHT)
    read.go_oldest()
    read.move(8)
    for height in (3, HEIGHT):
        read.resize(height)
    assert (read.cursor, page(read)) == (8, (0, 10))


def test_other_events_of_the_same_log_are_read_at_the_same_place() -> None:
    """A filter keeps the cursor on its event, else on the one before; without it, all is back."""
    read = reading(100)
    read.move(-31)
    grow(read, 20)
    every_third = History()
    every_third.add([event for place, event in enumerate(read.history) if place % 3 == 0])
    narrow = read.over(every_third)
    assert read.cursor == 68
    assert narrow.history[narrow.cursor] is read.history[66]
    assert (narrow.is_paused, narrow.new_count, narrow.is_new(34)) == (True, 6, True)
    wide = narrow.over(read.history)
    assert (wide.cursor, wide.is_new(99), wide.is_new(100)) == (66, False, True)
    assert reading(0).over(read.history).bottom == 120
    nothing = read.over(History())
    assert (page(nothing), nothing.new_count) == ((0, 0), 0)


moves = st.sampled_from(
    ["pause", "resume", "newest", "oldest", "up", "down", "page up", "page down", "less", "more"]
)


@settings(deadline=None)
@given(st.lists(st.tuples(moves, st.integers(0, 40))))
def test_whatever_is_pressed_no_event_is_passed_unseen(steps: list[tuple[str, int]]) -> None:
    """Only G jumps; all else shows each event on some page, as long as memory lasts."""
    read = reading(15, most=10_000)
    seen = set(range(15))
    does: dict[str, Callable[[], None]] = {
        "pause": read.pause,
        "resume": read.resume,
        "newest": read.pause,
        "oldest": read.go_oldest,
        "up": lambda: read.move(-1),
        "down": lambda: read.move(1),
        "page up": lambda: read.turn(-1),
        "page down": lambda: read.turn(1),
        "less": lambda: read.resize(HEIGHT // 2),
        "more": lambda: read.resize(HEIGHT),
    }
    for move, new in steps:
        if read.is_paused:
            grow(read, new)
        does[move]()
        seen |= set(range(*page(read)))
        assert read.top <= read.cursor < max(read.bottom, read.top + 1)
        assert seen == set(range(read.seen_end))
        assert read.new_count == read.history.end - len(seen)
