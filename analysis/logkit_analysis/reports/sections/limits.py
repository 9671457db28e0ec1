"""Rate limits: storms, whether waits were obeyed, and how near a ban was."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from logkit_analysis.reports import wording
from logkit_analysis.reports.document import Block, Head, Section, Table, Text
from logkit_analysis.reports.sections.over_time import counts, per_bin
from logkit_analysis.time_window import Window

if TYPE_CHECKING:
    from datetime import datetime

    from logkit_analysis.reports.case import Case, Row

_BAN = 10_000
_TICK = timedelta(microseconds=1)
_OBEYED, _MOSTLY = 0.02, 0.2


def rate_limits(case: Case) -> Section:
    """Return the storms and the headroom; without 429s it says so."""
    whole = case.binned("latency_over_time")
    storms = case.storms()
    refused = sum(row["rate_limited"] for row in whole.rows)
    blocks: list[Block] = []
    if not refused:
        blocks.append(Text("No request was refused with 429 in this time."))
    else:
        title = f"Requests refused with 429, {per_bin(case)}"
        blocks.append(
            counts(
                *(case, whole, "rate_limited"), id_="refused", title=title, series=("429", "warn")
            )
        )
    if storms.rows:
        blocks.append(_table(case, storms.rows, storms.number))
    elif refused:
        few = f"{wording.counted(refused, 'request')} met a 429, too few in a row for a storm."
        blocks.append(Text(few))
    blocks.append(_headroom(case, [row["ended_at"] for row in storms.rows]))
    return Section("limits", "Rate limits", tuple(blocks))


def _table(case: Case, storms: list[Row], number: int) -> Table:
    heads = (
        Head("Scope"),
        Head("Service"),
        Head("From"),
        Head("To"),
        Head("429s", True),
        Head("Calls that did not wait", True),
        Head("Waits"),
        Head("Calls per first try", True),
    )
    rows = tuple(_cells(case, row) for row in storms)
    return Table("Storms of 429s", heads, rows, (number,))


def _cells(case: Case, row: Row) -> tuple[str, ...]:
    where = row["endpoint"] or "several endpoints"
    scope = f"{where}, bucket {row['bucket']}" if row["bucket"] else f"{where}, {row['scope']}"
    amplification = row["retry_amplification"]
    return (
        wording.words(scope),
        wording.words(row["service"]),
        case.clock.time(row["started_at"]),
        case.clock.time(row["ended_at"]),
        wording.count(row["hits"]),
        wording.count(row["ignored_retry_after"]),
        _obedience(row),
        wording.MISSING if amplification is None else f"{amplification:.1f}",
    )


def _obedience(row: Row) -> str:
    ignored = row["ignored_retry_after"] / row["hits"]
    if ignored <= _OBEYED:
        return "obeyed"
    return "mostly obeyed" if ignored <= _MOSTLY else "not obeyed"


def _headroom(case: Case, storm_ends: list[datetime]) -> Text:
    """Return how much of Discord's ban limit was used up when it was worst."""
    # A storm ends with its last 429, which belongs to it; windows are half-open.
    ends = [min(end + _TICK, case.window.until) for end in storm_ends] or [case.window.until]
    worst, number = 0, 0
    for end in ends[-3:]:
        answer = case.ask("ban_headroom", Window(case.window.since, end))
        whole = next(iter(answer.rows), None)
        if whole is not None and (number == 0 or whole["invalid_requests"] > worst):
            worst, number = whole["invalid_requests"], answer.number
    if not number:
        return Text("Ban headroom: no calls to Discord in this time.")
    if not worst:
        return Text("Ban headroom: Discord was sent no invalid request.", sources=(number,))
    told = (
        f"Ban headroom: at most {worst:,} of {_BAN:,} invalid requests in 10 minutes, "
        f"{wording.ratio(worst / _BAN)} of what makes Discord ban the address."
    )
    return Text(told, sources=(number,))
