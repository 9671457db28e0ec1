"""Queue, memory, CPU, connections, breakers and health checks on the time axis of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logkit_analysis.reports import wording
from logkit_analysis.reports.document import (
    Block,
    Chart,
    Section,
    Series,
    Stretch,
    Strips,
    Style,
    Text,
    Tone,
)
from logkit_analysis.reports.sections.headline import growth
from logkit_analysis.reports.sections.over_time import baseline, summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from logkit_analysis.detect.troubles import Trouble
    from logkit_analysis.reports.case import Case, Row

_STYLES: tuple[Style, ...] = ("main", "second", "third", "warn", "bad")
_MIB = 2**20
_TONES: dict[str, Tone] = {
    "open": "bad",
    "half_open": "warn",
    "closed": "good",
    "ok": "good",
    "healthy": "good",
    "up": "good",
    "pass": "good",
    "fired": "bad",
    "firing": "bad",
    "resolved": "good",
    "degraded": "warn",
}


def vitals(case: Case) -> Section:
    """Return a chart for each vital sign that the log has."""
    blocks: list[Block] = [*_queues(case), *_resources(case), *_states(case)]
    if not any(isinstance(one, Chart) for one in blocks):
        blocks.insert(0, Text("The log holds no samples of queues or resources in this time."))
    blocks = [*(_leak(case, one) for one in case.leaks), *blocks]
    return Section("vitals", "Vital signs", tuple(blocks))


def _leak(case: Case, one: Trouble) -> Text:
    number = case.ask("memory_growth", case.searched).number
    told = f"Since {case.clock.time(one.started_at)} {growth(case, one)}: {one.because}"
    return Text(f"{told} ({wording.words(one.subject, 40)}).", sources=(number,))


def _queues(case: Case) -> list[Block]:
    answer = case.binned("queue_depth")
    series = _series(case, answer.rows, "queue", "max_depth")
    limits = {row["queue_limit"] for row in answer.rows if row["queue_limit"]}
    if not series:
        return []
    deepest = max(value or 0 for one in series for value in one.values)
    # A limit far above everything would flatten the curve that is to be read.
    limit = max(limits) if limits and max(limits) <= 4 * deepest else None
    return [
        _chart(case, "queue", "Deepest queue", "items", series, wording.count, answer.number, limit)
    ]


def _resources(case: Case) -> list[Block]:
    answer = case.binned("resource_usage")
    rows = [
        {**row, "rss_mib": None if row["rss_bytes"] is None else row["rss_bytes"] / _MIB}
        for row in answer.rows
    ]
    limits = [row["rss_limit_bytes"] / _MIB for row in rows if row["rss_limit_bytes"]]
    kinds: tuple[tuple[str, str, str, str, Callable[[Any], str]], ...] = (
        ("memory", "Memory", "MiB", "rss_mib", lambda value: f"{value:,.0f} MiB"),
        ("cpu", "CPU", "% of one core", "cpu_percent", lambda value: f"{value:,.0f} %"),
        ("connections", "Open connections", "connections", "open_connections", wording.count),
        ("loop", "Delay of the event loop", "ms", "loop_lag_ms", wording.milliseconds),
    )
    blocks: list[Block] = []
    for id_, title, unit, column, shown in kinds:
        series = _series(case, rows, "service", column)
        if series:
            limit = min(limits) if id_ == "memory" and len(set(limits)) == 1 else None
            blocks.append(_chart(case, id_, title, unit, series, shown, answer.number, limit))
    return blocks


def _series(case: Case, rows: list[Row], name: str, column: str) -> tuple[Series, ...]:
    """Return a line for each name: the greatest of its rows in each bin."""
    groups: dict[str, dict[Any, float]] = {}
    for row in rows:
        if row[column] is not None:
            bins = groups.setdefault(wording.words(row[name] or row["service"], 60), {})
            bins[row["bucket_at"]] = max(bins.get(row["bucket_at"], row[column]), row[column])
    ranked = sorted(groups.items(), key=lambda one: (-max(one[1].values()), one[0]))
    kept = ranked[: len(_STYLES)]
    return tuple(
        Series(group, tuple(bins.get(at) for at in case.bins()), style)
        for (group, bins), style in zip(kept, _STYLES, strict=False)
    )


def _chart(
    case: Case,
    id_: str,
    title: str,
    unit: str,
    series: tuple[Series, ...],
    shown: Callable[[Any], str],
    number: int,
    limit: float | None,
) -> Chart:
    told = [f"{one.name}: {summary(case, one.values, shown)}" for one in series[:3]]
    if limit is not None:
        told.append(f"The dashed line is the limit, {shown(limit)}.")
    return Chart(
        id=id_,
        title=title,
        unit=unit,
        axis=case.axis,
        series=series,
        band=baseline(case, series[0].values) if len(series) == 1 else None,
        limit=limit,
        summary=" ".join(told),
        sources=(number,),
    )


def _states(case: Case) -> list[Block]:
    answer = case.ask("state_changes")
    changes = [row for row in answer.rows if row["kind"] in ("breaker", "health")]
    if not changes:
        return [Text("The log tells of no circuit breaker and no health check in this time.", True)]
    lines: dict[str, list[Row]] = {}
    for row in changes:
        name = " ".join(filter(None, (row["kind"], row["name"], f"({row['service']})")))
        lines.setdefault(wording.words(name, 90), []).append(row)
    named = tuple((name, _stretches(case, rows)) for name, rows in sorted(lines.items()))
    text = f"{wording.counted(len(changes), 'change')} of state."
    return [
        Strips("states", "Breakers and health checks", case.axis, named, text, (answer.number,))
    ]


def _stretches(case: Case, rows: list[Row]) -> tuple[Stretch, ...]:
    ends = [row["changed_at"] for row in rows[1:]] + [case.window.until]
    return tuple(
        Stretch(row["changed_at"], end, words, _TONES.get(row["state"].lower(), "bad"))
        for row, end in zip(rows, ends, strict=True)
        for words in [
            f"{wording.words(row['state'], 40)} from {case.clock.time(row['changed_at'])}"
        ]
    )
