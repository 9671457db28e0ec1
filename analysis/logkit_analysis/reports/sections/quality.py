"""Whether the log can be believed: "no errors" is not "no logs"."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from logkit_analysis.reports import wording
from logkit_analysis.reports.document import (
    Block,
    Head,
    Section,
    Stretch,
    Strips,
    Table,
    Tile,
    Tiles,
    Tone,
)

if TYPE_CHECKING:
    from datetime import timedelta

    from logkit_analysis.reports.case import Case, Row

_REJECTED = "select count(*) as lines from quarantine"
_NAMES = {
    "gap": "Silences",
    "restart": "Restarts",
    "clock_skew": "Clock errors",
    "seq_holes": "Lines missing",
    "duplicates": "Duplicates",
    "missing_timestamp": "Untimed",
}
_IS_HARMLESS = {"restart"}


def data_quality(case: Case) -> Section:
    """Return the strip of figures, the findings, and a bar of lines for each service."""
    found = case.ask("data_quality")
    throughput = case.binned("throughput")
    blocks: list[Block] = [_strip(case, found.rows, throughput.rows, found.number), _presence(case)]
    if found.rows:
        blocks.append(_findings(case, found.rows, found.number))
    return Section("quality", "Can the log be trusted?", tuple(blocks))


def _strip(case: Case, findings: list[Row], lines: list[Row], number: int) -> Tiles:
    quarantined = case.ledger.note("Rejected lines", _REJECTED, {})
    rejected = quarantined.rows[0]["lines"]
    counts = dict.fromkeys(_NAMES, 0)
    for row in findings:
        counts[row["check"]] = counts.get(row["check"], 0) + row["count"]
    tiles = [
        Tile("Lines", wording.count(sum(row["events"] for row in lines)), "in this report"),
        Tile("Rejected", wording.count(rejected), "in the database", _tone(rejected)),
    ]
    tiles += [
        Tile(
            _NAMES.get(check, check.replace("_", " ")),
            wording.count(number_found),
            "",
            "plain" if check in _IS_HARMLESS else _tone(number_found),
        )
        for check, number_found in counts.items()
    ]
    return Tiles(tuple(tiles), (number, quarantined.number))


def _tone(found: int) -> Tone:
    return "warn" if found else "good"


def _findings(case: Case, rows: list[Row], number: int) -> Table:
    heads = (
        Head("Check"),
        Head("Service"),
        Head("Instance"),
        Head("Count", is_number=True),
        Head("The worst of them"),
    )
    cells = tuple(
        (
            row["check"].replace("_", " "),
            wording.service(row["service"]),
            wording.words(row["instance"]),
            wording.count(row["count"]),
            _detail(case, row["detail"]),
        )
        for row in rows[:_MOST_FINDINGS]
    )
    more = len(rows) - len(cells)
    note = f"{more} more in logkit query data_quality" if more else ""
    return Table("What was found in the log itself", heads, cells, (number,), note)


def _detail(case: Case, text: str) -> str:
    """Return the query's own words with times and lengths as the report writes them."""
    told = _INSTANT.sub(lambda found: case.clock.time(datetime.fromisoformat(found[0])), text)
    return _SECONDS.sub(lambda found: wording.milliseconds(float(found[1]) * 1000), told)


_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_SECONDS = re.compile(r"([\d.]+) s\b")
_MOST_FINDINGS = 12
_MOST_SERVICES = 16


def _presence(case: Case) -> Strips:
    """Return for each service when it logged at all."""
    answer = case.binned("throughput")
    width = case.bins()[1] - case.bins()[0] if len(case.bins()) > 1 else None
    lines: dict[str, list[Stretch]] = {}
    for row in answer.rows:
        name = wording.service(row["service"])
        _extend(lines.setdefault(name, []), row, width)
    # Those with silences first, if not all can be drawn.
    ranked = sorted(lines.items(), key=lambda one: (-len(one[1]), one[0]))
    broken = sorted(name for name, stretches in ranked if len(stretches) > 1)
    drawn = sorted(ranked[:_MOST_SERVICES])
    named = tuple((name, tuple(stretches)) for name, stretches in drawn)
    summary = (
        f"{', '.join(broken[:_MOST_SERVICES])} fell silent in between."
        if broken
        else "No service fell silent."
    )
    if len(ranked) > len(drawn):
        summary += f" {len(drawn)} of {len(ranked)} services are drawn."
    return Strips(
        "presence", "When each service logged", case.axis, named, summary, (answer.number,)
    )


def _extend(stretches: list[Stretch], row: Row, width: timedelta | None) -> None:
    since = row["bucket_at"]
    until = since if width is None else since + width
    if stretches and stretches[-1].until >= since:
        since = stretches.pop().since
    stretches.append(Stretch(since, until, "logged", "good"))
