"""Notes for the timeline, as people write them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from logkit_analysis.errors import UsageError
from logkit_analysis.reports.notes import parse_notes

NEAR = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "at", "text"),
    [
        ("00:40 rolled back", "2026-03-01T00:40", "rolled back"),
        ("23:50 first complaint", "2026-02-28T23:50", "first complaint"),
        ("- 1:05: it works: really", "2026-03-01T01:05", "it works: really"),
        ("2026-03-01T02:00 called - twice", "2026-03-01T02:00", "called - twice"),
        ("2026-03-01 02:00 called", "2026-03-01T02:00", "called"),
        ("* 2026-03-01T03:00+01:00, back", "2026-03-01T02:00", "back"),
    ],
    ids=["near", "day_before", "list", "date", "blank", "zone"],
)
def test_a_note_is_a_time_and_a_text(line: str, at: str, text: str) -> None:
    """A time of day is that of the day nearest to the report; the rest is the text."""
    (note,) = parse_notes([line], zone=ZoneInfo("UTC"), near=NEAR)
    assert note.at == datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert note.text == text


def test_notes_come_in_order_and_comments_are_left_out() -> None:
    """Lines may come in any order."""
    lines = ["01:00 second", "", "# a comment", "00:50 first"]
    notes = parse_notes(lines, zone=ZoneInfo("UTC"), near=NEAR)
    assert [note.text for note in notes] == ["first", "second"]


@pytest.mark.parametrize("line", ["rolled back", "14:40", "99:99 never", "14:40   "])
def test_a_line_without_time_or_text_is_refused(line: str) -> None:
    """The message says how to write one."""
    with pytest.raises(UsageError, match="write"):
        parse_notes([line], zone=ZoneInfo("UTC"), near=NEAR)
