"""ban_headroom at any past moment, against the published rule written out in Python."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from logkit_analysis.time_window import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

Event = dict[str, Any]
START = datetime(2026, 1, 31, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LIMIT = 10_000


@pytest.fixture(scope="module")
def calls(store: Any) -> list[Event]:
    """Store and return 25,000 answers in half an hour, of which more and more are invalid."""
    rng = random.Random(11)
    rows = []
    for _ in range(25_000):
        minute = 30 * rng.random() ** 0.5
        is_bad = rng.random() < minute / 30
        rows.append(
            {
                "timestamp": START + timedelta(seconds=round(60 * minute, 6)),
                "service": "bot",
                "platform": rng.choice(["discord"] * 9 + ["telegram"]),
                "endpoint": rng.choice(["/a", "/b", None]),
                "status_code": rng.choice([401, 403, 429, 429]) if is_bad else 200,
                "rate_limit_scope": rng.choice(["user", "global", "shared", None]),
            }
        )
    store.fill(rows)
    return rows


def invalid_of(rows: Sequence[Event], since: datetime, until: datetime) -> list[Event]:
    """Return what counts towards the ban in a half-open time."""
    return [
        row
        for row in rows
        if since <= row["timestamp"] < until
        and row["platform"] == "discord"
        and row["status_code"] in (401, 403, 429)
        and not (row["status_code"] == 429 and row["rate_limit_scope"] == "shared")
    ]


@pytest.mark.parametrize("minutes", [0.5, 5, 10, 15, 22.5, 29, 30, 35, 45])
def test_headroom_at_any_moment(store: Any, calls: list[Event], minutes: float) -> None:
    """Counts, share, pace and time to the ban are those of the ten minutes before the moment."""
    moment = START + minutes * MINUTE
    invalid = invalid_of(calls, moment - 10 * MINUTE, moment)
    last = len(invalid_of(calls, moment - MINUTE, moment))
    found = store.run("ban_headroom", Window(START, moment))
    if not any(moment - 10 * MINUTE <= row["timestamp"] < moment for row in calls):
        assert found == []
        return
    # At that pace ten minutes must hold 10,000, or there is never a ban.
    seconds = None
    if len(invalid) >= LIMIT:
        seconds = 0.0
    elif last * 10 > LIMIT:
        seconds = (LIMIT - len(invalid)) / (last / 60)
    assert found[0] == {
        "endpoint": None,
        "invalid_requests": len(invalid),
        "share": pytest.approx(len(invalid) / LIMIT),
        "invalid_last_minute": last,
        "seconds_to_ban": seconds if seconds is None else pytest.approx(seconds),
    }
    counts = Counter(row["endpoint"] or "(none)" for row in invalid)
    assert {row["endpoint"]: row["invalid_requests"] for row in found[1:]} == counts
