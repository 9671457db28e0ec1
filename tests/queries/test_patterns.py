"""Messages that differ in their values alone are one pattern."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from logkit_analysis.time_window import Window

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2026, 1, 31, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TEMPLATES = [
    ("info", "user {} joined in {} ms"),
    ("info", "user {} left"),
    ("error", "user {} left"),
    ("info", "connected"),
    ("warning", "cannot reach {}, attempt {}"),
    ("info", None),
]
VALUES: list[Callable[[random.Random], str]] = [
    lambda rng: str(rng.randrange(10**6)),
    lambda rng: f"{rng.uniform(0, 1e3):.3f}",
    lambda rng: f"1{rng.getrandbits(60):015x}",
    lambda rng: f"'{rng.choice(['Ann', 'Bob the 2nd', ''])}'",
    lambda rng: f"10.0.{rng.randrange(255)}.{rng.randrange(255)}:{rng.randrange(65535)}",
    lambda rng: f"https://example.org/{rng.randrange(99)}?q=x",
    lambda rng: f"{START + rng.randrange(10**6) * MINUTE:%Y-%m-%dT%H:%M:%SZ}",
    lambda rng: f"user{rng.randrange(99)}@example.org",
]


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 60), first=st.integers(0, 60))
def test_each_template_is_one_pattern(store: Any, seed: int, count: int, first: int) -> None:
    """Counts, first and last times, and what is new or gone are exact for any window."""
    rng = random.Random(seed)
    lines: dict[tuple[str, str | None], list[datetime]] = defaultdict(list)
    events = []
    for _ in range(count):
        level, text = rng.choice(TEMPLATES)
        at = START + rng.randrange(60) * MINUTE
        values = [rng.choice(VALUES)(rng) for _ in range(2)]
        lines[level, text].append(at)
        message = text and text.format(*values)
        events.append({"timestamp": at, "service": "bot", "level": level, "message": message})
    store.fill(events)
    window = Window(START + first * MINUTE, START + 60 * MINUTE)
    begun_at = min((at for times in lines.values() for at in times), default=START)
    expected = {
        (level, text and text.replace("{}", "*")): (
            sum(at >= window.since for at in times),
            sum(at < window.since for at in times),
            min(times),
            max(times),
            _change(min(times), max(times), begun_at, window.since),
        )
        for (level, text), times in lines.items()
    }
    names = ("count", "count_before", "first_seen_at", "last_seen_at", "change")
    rows = store.run("patterns", window)
    found = {(r["level"], r["template"]): tuple(r[name] for name in names) for r in rows}
    assert found == expected
    assert len(rows) == len(expected)


def _change(first: datetime, last: datetime, begun: datetime, since: datetime) -> str | None:
    if last < since:
        return "vanished"
    return "new" if first >= since > begun else None


@pytest.mark.parametrize(
    ("message", "template"),
    [
        pytest.param("can't face the facade", "can't face the facade", id="words"),
        pytest.param("deploy of v2.5.0 took 1h", "deploy of v* took *h", id="units"),
        pytest.param("id 550e8400-e29b-41d4-a716-446655440000", "id *", id="uuid"),
        pytest.param("0xdeadbeef", "*", id="address"),
        pytest.param("Umlaute äöü 3 €", "Umlaute äöü * €", id="unicode"),
        pytest.param("", "", id="empty"),
    ],
)
def test_shape_of_a_message(store: Any, message: str, template: str) -> None:
    """Values become stars, words stay."""
    store.fill([{"timestamp": START, "message": message}])
    assert [row["template"] for row in store.run("patterns")] == [template]


def test_share_adds_up(store: Any) -> None:
    """The shares of the window's patterns make one."""
    levels = ["info"] * 3 + ["error"]
    store.fill([{"timestamp": START, "level": level} for level in levels])
    shares = Counter({row["level"]: row["share"] for row in store.run("patterns")})
    assert shares == {"info": 0.75, "error": 0.25}
