"""Use a day and trends of features against a slow and obvious computation, on random events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import given

from .random_events import (
    Event,
    assert_same_rows,
    bucket,
    events,
    grouped,
    inside,
    on_random_events,
    windows,
)

if TYPE_CHECKING:
    from logkit_analysis.time_window import Window

DAY = 86_400


def spread(rows: list[Event]) -> list[Event]:
    """Return the events over days: ten minutes become more than three weeks."""
    start = datetime(2026, 1, 31, 9, tzinfo=UTC)
    return [
        {**row, "timestamp": row["timestamp"] and start + (row["timestamp"] - start) * 3000}
        for row in rows
    ]


def stretched(window: Window) -> Window:
    """Return a window stretched in the same way."""
    first, last = spread([{"timestamp": window.since}, {"timestamp": window.until}])
    return type(window)(first["timestamp"], last["timestamp"])


def used(rows: list[Event], window: Window) -> list[Event]:
    """Return the rows in the window that tell of a command."""
    return [row for row in inside(rows, window) if row["command"] is not None]


def distinct(rows: list[Event], name: str) -> set[Any]:
    """Return the values of a field."""
    return {row[name] for row in rows} - {None}


def uses(rows: list[Event]) -> int:
    """Return the number of actions."""
    single = sum(row["correlation_id"] is None for row in rows)
    return len(distinct(rows, "correlation_id")) + single


@on_random_events
@given(rows=events, window=windows)
def test_usage_by_day(store: Any, rows: list[Event], window: Window) -> None:
    """Uses, users, new and returning ones are exact for each day."""
    rows, window = spread(rows), stretched(window)
    store.fill(rows)
    days = grouped(used(rows, window), lambda row: (bucket(row, DAY),))
    expected: list[Event] = []
    seen: set[Any] = set()
    for (day,), group in sorted(days.items()):
        users = distinct(group, "user_id")
        before = uses(days.get((day - timedelta(days=1),), []))
        expected.append(
            {
                "day_at": day,
                "uses": uses(group),
                "commands": len(distinct(group, "command")),
                "users": len(users),
                "new_users": len(users - seen),
                "returning_users": len(users & seen),
                "guilds": len(distinct(group, "guild_id")),
                "uses_change": uses(group) / before - 1 if before else None,
            }
        )
        seen |= users
    assert_same_rows(store.run("usage_by_day", window), expected)


@on_random_events
@given(rows=events, window=windows)
def test_feature_trend(store: Any, rows: list[Event], window: Window) -> None:
    """Users who came back, and uses in both halves of the window, are exact for each feature."""
    rows, window = spread(rows), stretched(window)
    store.fill(rows)
    middle = window.since + (window.until - window.since) / 2
    all_rows = used(rows, window)
    groups = grouped(all_rows, lambda row: (row["command"],))
    total = sum(map(uses, groups.values()))
    expected = []
    for (command,), group in groups.items():
        first = [row for row in group if row["timestamp"] < middle]
        second = [row for row in group if row["timestamp"] >= middle]
        early, late = distinct(first, "user_id"), distinct(second, "user_id")
        expected.append(
            {
                "command": command,
                "uses": uses(group),
                "uses_ratio": uses(group) / total,
                "users": len(early | late),
                "days": len({bucket(row, DAY) for row in group}),
                "retained_users": len(early & late),
                "first_half_users": len(early),
                "retention_ratio": len(early & late) / len(early) if early else None,
                "first_half_uses": uses(first),
                "second_half_uses": uses(group) - uses(first),
                "trend": (uses(group) - uses(first)) / uses(first) - 1 if first else None,
            }
        )
    expected.sort(key=lambda row: (-row["uses"], row["command"]))
    assert_same_rows(store.run("feature_trend", window), expected)


def test_a_new_user_comes_back(store: Any) -> None:
    """On the second day the same user is no new one."""
    monday = datetime(2026, 2, 2, 12, tzinfo=UTC)
    store.fill(
        [
            {"timestamp": monday + timedelta(days=n), "command": "ping", "user_id": "u"}
            for n in range(2)
        ]
    )
    days = store.run("usage_by_day")
    assert [(day["new_users"], day["returning_users"]) for day in days] == [(1, 0), (0, 1)]
    assert store.run("feature_trend")[0]["retention_ratio"] == 1
