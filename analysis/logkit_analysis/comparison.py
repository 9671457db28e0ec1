"""Two windows and what differs between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logkit_analysis.detect.explain import explain
from logkit_analysis.errors import UsageError
from logkit_analysis.time_window import Span, Window, parse_time

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from logkit_analysis.detect.explain import Explanation
    from logkit_analysis.questions import Questions


@dataclass(frozen=True, slots=True)
class Comparison:
    """What got worse from one window to the other.

    Attributes:
        before: The window before.
        after: The window after.
        explanations: What explains the change, best first.
    """

    before: Window
    after: Window
    explanations: list[Explanation]


def compare(questions: Questions, before: Window, after: Window) -> Comparison:
    """Return what got significantly worse in *after*, ranked by what explains it."""
    given = {
        "before_since": before.since.isoformat(),
        "before_until": before.until.isoformat(),
    }
    rows = questions.ask("compare", after, **given)
    return Comparison(before, after, explain(rows))


def around_onset(questions: Questions, stored: Span, whole: Window) -> tuple[Window, Window]:
    """Return windows before and after the start of the worst degradation in *whole*.

    The window before is as long as the degradation or, where the log begins later, shorter.

    Raises:
        UsageError: There is no degradation to compare around.
    """
    incidents = questions.ask("degradation_start", whole)
    if not incidents:
        hint = "name two windows: --before 13:00..13:30 --after 14:00..14:30, with dates"
        raise UsageError(f"no degradation to compare around; {hint}")
    worst = max(incidents, key=lambda row: (row["ended_at"] is None, row["score"]))
    causes = [row for row in incidents if row["metric"] in ("latency", "error_ratio")]
    if causes and worst["metric"] not in ("latency", "error_ratio"):
        worst = max(causes, key=lambda row: (row["ended_at"] is None, row["score"]))
    after = Window(worst["started_at"], worst["ended_at"] or whole.until)
    length = after.until - after.since
    return Window(max(after.since - length, stored.oldest), after.since), after


def parse_window(text: str, *, zone: ZoneInfo, now: datetime) -> Window:
    """Return the window that ``A..B`` says.

    Raises:
        UsageError: It says none.
    """
    start, separator, end = text.partition("..")
    if not separator:
        raise UsageError(f"{text!r} is no window; write 2025-01-31T14:00..2025-01-31T14:30")
    window = Window(parse_time(start, zone=zone, now=now), parse_time(end, zone=zone, now=now))
    if window.since >= window.until:
        raise UsageError(f"{text!r}: it ends before it begins")
    return window
