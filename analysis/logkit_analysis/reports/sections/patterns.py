"""Log templates that are new, more frequent or gone since the incident began."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from logkit_analysis.reports import wording
from logkit_analysis.reports.document import Head, Section, Table, Text

if TYPE_CHECKING:
    from logkit_analysis.reports.case import Case, Row

_MOST = 8
_RISEN = 3.0
_LEAST_ROWS = 20
_LEAST_EXPECTED = 5.0
_HEADS = (
    Head("Event"),
    Head("Shape of the message"),
    Head("Level"),
    Head("Service"),
    Head("During", is_number=True),
    Head("Expected", is_number=True),
    Head("First seen"),
)


def patterns(case: Case) -> Section:
    """Return up to eight of each kind, the most frequent first."""
    if case.during.since <= case.stored.oldest:
        reason = "The log holds nothing from before to tell what is new, risen or gone."
        return Section("patterns", "Log patterns", (Text(reason),))
    answer = case.ask("patterns", case.during)
    kinds: dict[str, list[tuple[Row, float]]] = {"New": [], "Risen": [], "Vanished": []}
    for row in answer.rows:
        expected = _expected(case, row)
        kind = _kind(row, expected)
        if kind is not None:
            kinds[kind].append((row, expected))
    kinds["Vanished"].sort(key=lambda one: -one[1])
    tables = tuple(_table(case, kind, rows, answer.number) for kind, rows in kinds.items() if rows)
    lead = Text(
        "Expected is what the rate of the whole log before the onset would have given. Risen: "
        f"at least {_RISEN:.0f} times that. Vanished: at least {_LEAST_EXPECTED:.0f} were "
        "expected, and none came.",
        is_aside=True,
    )
    nothing = Text("No kind of log line is new, risen or gone.")
    return Section("patterns", "Log patterns", (lead, *tables) if tables else (nothing,))


def _expected(case: Case, row: Row) -> float:
    before = case.during.since - case.stored.oldest
    if before <= timedelta(0):
        return 0.0
    length = case.during.until - case.during.since
    return float(row["count_before"] * (length / before))


def _kind(row: Row, expected: float) -> str | None:
    if row["change"] == "new":
        return "New"
    if row["change"] == "vanished":
        return "Vanished" if expected >= _LEAST_EXPECTED else None
    is_risen = row["count"] >= _LEAST_ROWS and row["count"] >= _RISEN * expected
    return "Risen" if is_risen and row["count_before"] else None


def _table(case: Case, kind: str, rows: list[tuple[Row, float]], number: int) -> Table:
    cells = tuple(
        (
            wording.words(row["event"], 80),
            wording.words(row["template"]),
            wording.words(row["level"]),
            wording.words(row["service"], 60),
            wording.count(row["count"]),
            wording.count(expected),
            case.clock.time(row["first_seen_at"]),
        )
        for row, expected in rows[:_MOST]
    )
    more = len(rows) - len(cells)
    note = f"{more} more in logkit patterns" if more else ""
    return Table(kind, _HEADS, cells, (number,), note)
