"""One look at everything: what is broken, since when, where, and whose fault it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Literal

from logkit_analysis import stored
from logkit_analysis.detect.courses import Courses, Grid
from logkit_analysis.detect.troubles import Evidence, find_troubles
from logkit_analysis.time_window import Window

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from logkit_analysis.detect.troubles import Trouble
    from logkit_analysis.questions import Questions
    from logkit_analysis.time_window import Span

Row = dict[str, Any]
State = Literal["broken", "at_risk", "ok", "no_data"]

RECENT = timedelta(hours=24)
"""How far back a triage looks by default, from the newest event."""

_MARGIN = timedelta(minutes=15)
_TICK = timedelta(microseconds=1)
_SECOND = timedelta(seconds=1)
_WORST_ENDPOINTS = 3
_MOST_ERRORS = 3
_NEAR_BAN = 0.5
_CALLS = "endpoints_over_time"
_MEMORY = "memory_growth"
# What is let go once a day looks like a leak on each single day.
_MEMORY_REACH = timedelta(days=3)
_SLOWEST_FIRST = (
    *("degradation_start", "data_quality", "rate_limit_storms", "dependency_health"),
    *(_CALLS, _MEMORY, "us_or_platform", "restarts", "top_errors"),
    *("silences", "quotas", "ban_headroom"),
)
_QUERIES = {
    "latency": "latency_percentiles",
    "error_ratio": "top_errors",
    "queue_depth": "queue_lag",
    "rate_limit_storm": "rate_limit_storms",
    "error_lines": "top_errors",
    "silence": "silences",
    "memory": "memory_growth",
}


@dataclass(frozen=True, slots=True)
class Triage:
    """What a triage found.

    Attributes:
        state: ``broken`` while something is degraded or refused, ``at_risk`` while a leak or a
            ban is on its way, else ``ok``; ``no_data`` without events in the window.
        troubles: Those going on first.
        endpoints: The worst endpoints, rows of `dependency_health`; ``failures`` is how many of
            their calls failed or met a 429 in equal steps over the window.
        errors: The most frequent errors, rows of `top_errors`.
        quotas: Budgets that are used up, refused or low, rows of `quotas`.
        sides: Rows of `us_or_platform`.
        ban: The whole row of `ban_headroom`, ``None`` without calls to Discord.
        quality: Findings of `data_quality` by check, restarts apart.
        rejected_line_count: Lines in quarantine.
        next_commands: What to run next.
    """

    state: State
    troubles: list[Trouble]
    endpoints: list[Row]
    errors: list[Row]
    quotas: list[Row]
    sides: list[Row]
    ban: Row | None
    quality: dict[str, int]
    rejected_line_count: int
    next_commands: list[str]


def triage(questions: Questions, window: Window) -> Triage:
    """Return what is broken in *window*."""

    def errors_of(since: datetime, until: datetime) -> list[Row]:
        return questions.ask("top_errors", Window(since, until))

    grid = Grid(window.since, window.until)
    asked: dict[str, tuple[Window, dict[str, str]]] = {
        name: (window, {}) for name in _SLOWEST_FIRST
    }
    asked[_CALLS] = (window, grid.parameters)
    asked[_MEMORY] = (replace(window, since=window.since - _MEMORY_REACH), {})
    found = questions.ask_together(asked)
    evidence = Evidence(
        until=window.until,
        degradations=found["degradation_start"],
        storms=found["rate_limit_storms"],
        memory=found[_MEMORY],
        restarts=found["restarts"],
        silences=found["silences"],
        errors_of=errors_of,
    )
    troubles = find_troubles(evidence)
    courses = _courses(questions, grid, troubles, found[_CALLS])
    troubles = [replace(one, course=courses.of(one)) for one in troubles]
    ban = next(iter(found["ban_headroom"]), None)
    sides = found["us_or_platform"]
    return Triage(
        state=_state(troubles, ban, is_empty=not sides),
        troubles=troubles,
        endpoints=[
            {**row, "failures": courses.failures(row)} for row in _worst(found["dependency_health"])
        ],
        errors=found["top_errors"][:_MOST_ERRORS],
        quotas=[row for row in found["quotas"] if row["state"] not in ("ok", "unknown")],
        sides=sides,
        ban=ban,
        quality=_quality(found["data_quality"]),
        rejected_line_count=stored.rejected_line_count(questions.connection),
        next_commands=_next_commands(troubles, window, has_errors=bool(found["top_errors"])),
    )


def _courses(
    questions: Questions, grid: Grid, troubles: Sequence[Trouble], calls: Sequence[Row]
) -> Courses:
    """Return how the metrics of *troubles* went; what none of them is about is not asked for."""
    kinds = {one.kind for one in troubles}
    window = Window(grid.since, grid.until)

    def ask(name: str, about: set[str]) -> list[Row]:
        return questions.ask(name, window, **grid.parameters) if kinds & about else []

    return Courses(
        grid,
        calls,
        queues=ask("queue_depth", {"queue_depth"}),
        resources=ask("resource_usage", {"memory", "cpu_percent", "open_connections"}),
    )


def recent_window(stored: Span) -> Window:
    """Return the window of a triage without time options: the last `RECENT` that is stored."""
    return Window(max(stored.oldest, stored.newest - RECENT), stored.newest + _TICK)


def _state(troubles: Sequence[Trouble], ban: Row | None, *, is_empty: bool) -> State:
    if is_empty:
        return "no_data"
    going_on = [one for one in troubles if one.is_open]
    if any(one.kind != "memory" for one in going_on):
        return "broken"
    is_ban_near = ban is not None and ban["share"] >= _NEAR_BAN
    return "at_risk" if going_on or is_ban_near else "ok"


def _worst(rows: Sequence[Row]) -> list[Row]:
    """Return the endpoints with most failed calls; a ratio alone would show the rarest first."""
    failing = [row for row in rows if row["errors"] or row["rate_limited"]]
    failing.sort(key=lambda row: -(row["errors"] + row["rate_limited"]))
    return failing[:_WORST_ENDPOINTS]


def _quality(rows: Sequence[Row]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        if row["check"] != "restart":
            counts[row["check"]] = counts.get(row["check"], 0) + row["count"]
    return counts


def _next_commands(troubles: Sequence[Trouble], window: Window, *, has_errors: bool) -> list[str]:
    slow = [one for one in troubles if one.kind in ("latency", "error_ratio")]
    commands = [_query_command(one, window) for one in troubles[:1]]
    commands += [_compare_command(one, window) for one in slow[:1]]
    commands += [f"logkit trace {one.correlation_ids[0]}" for one in slow if one.correlation_ids]
    commands += [_query_command(one, window) for one in troubles[1:]]
    if has_errors:
        span = f"--since {_second(window.since)} --until {_second(window.until + _SECOND)}"
        commands.append(f"logkit query top_errors {span}")
    commands += ["logkit query dependency_health", "logkit query error_budget", "logkit query"]
    return list(dict.fromkeys(commands))[:3]


def _query_command(one: Trouble, window: Window) -> str:
    since = max(one.started_at - _MARGIN, window.since)
    span = f"--since {_second(since)}"
    if one.ended_at is not None:
        span += f" --until {_second(one.ended_at + _MARGIN)}"
    return f"logkit query {_QUERIES.get(one.kind, 'resource_usage')} {span}"


def _compare_command(one: Trouble, window: Window) -> str:
    end = one.ended_at or window.until
    before = max(one.started_at - (end - one.started_at), window.since)
    start = _second(one.started_at)
    return f"logkit compare --before {_second(before)}..{start} --after {start}..{_second(end)}"


def _second(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
