"""capacity's detector: what growth does to a load, and how sure that is."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from math import pi, sin
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logkit_analysis.detect.capacity import detect
from logkit_analysis.detect.projection import project
from logkit_analysis.results import Column, ResultSet

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2026, 1, 31, tzinfo=UTC)
NAMES = (
    *("service", "resource", "part", "bucket_at", "active", "load", "limit_load"),
    *("asked_growth", "asked_per"),
)


def users_at(bin_number: int, rng: random.Random) -> int:
    """Return the users of one of 144 bins a day."""
    return round(rng.gauss(1, 0.1) * 100 * (1 + 0.6 * sin(2 * pi * bin_number / 144)))


def judged(
    load: Callable[[int, random.Random], float],
    *,
    limit: float | None = None,
    resource: str = "cpu_percent",
    days: int = 2,
    users: Callable[[int, random.Random], int] = users_at,
) -> dict[str, Any]:
    """Return the row of one load that follows the users of its bin."""
    rng = random.Random(3)
    rows = []
    for number in range(144 * days):
        active = users(number, rng)
        at = START + timedelta(minutes=10 * number)
        rows.append(("bot", resource, None, at, active, load(active, rng), limit, 10.0, "users"))
    result = ResultSet(tuple(Column(name, "") for name in NAMES), rows)
    (row,) = detect(result, lambda _: result).dicts()
    return row


@given(
    base=st.floats(0, 1e3),
    each=st.floats(0.01, 1e3),
    growth=st.floats(1.1, 100),
    drivers=st.lists(st.integers(1, 500), min_size=12, max_size=60, unique=True),
)
def test_a_straight_line_is_followed_exactly(
    base: float, each: float, growth: float, drivers: list[int]
) -> None:
    """Without noise the projection is the line itself, and its interval closes around it."""
    found = project([(float(x), base + each * x) for x in drivers], growth)
    assert found is not None
    if found.basis != "narrow":
        truth = base + each * found.active * growth
        assert found.slope == pytest.approx(each, rel=1e-6)
        assert (found.low, found.middle, found.high) == pytest.approx((truth,) * 3, rel=1e-6)


def test_nine_of_ten_bins_after_the_growth_lie_between_the_ends() -> None:
    """The interval holds what simulated bots do at ten times the users."""
    inside = []
    for seed in range(25):
        rng = random.Random(seed)
        base, each = rng.uniform(0, 30), rng.uniform(0.02, 0.3)

        def load(
            users: float, rng: random.Random = rng, base: float = base, each: float = each
        ) -> float:
            return (base + each * users) * rng.lognormvariate(0, 0.15)

        drivers = [float(users_at(number, rng)) for number in range(288)]
        found = project([(driver, load(driver)) for driver in drivers], 10)
        assert found is not None
        later = [load(10 * found.active) for _ in range(20)]
        inside += [found.low <= one <= found.high for one in later]
    assert 0.8 <= sum(inside) / len(inside) <= 0.99


@pytest.mark.parametrize(
    ("each", "verdict"),
    [
        pytest.param(0.02, "fits", id="far_from_full"),
        pytest.param(0.4, "exceeds", id="far_too_much"),
        pytest.param(0.055, "uncertain", id="about_full"),
    ],
)
def test_the_limit_is_judged_with_the_doubt(each: float, verdict: str) -> None:
    """Only what lies clear of the limit fits or exceeds."""
    row = judged(lambda users, rng: 5 + each * users + rng.gauss(0, 0.5), limit=100.0)
    assert row["verdict"] == verdict
    full = (100 - 5) / each
    assert 0.6 * full < row["limit_at_active"] < 1.05 * full


@pytest.mark.parametrize(
    ("load", "words"),
    [
        pytest.param(lambda n, _: 1 + n, "straight line", id="line"),
        pytest.param(lambda n, rng: n * n + rng.gauss(0, 9), "square of the users", id="bends"),
        pytest.param(lambda _, rng: rng.gauss(50, 1), "without any effect", id="flat"),
    ],
)
def test_assumptions_are_written_out(
    load: Callable[[int, random.Random], float], words: str
) -> None:
    """Each row says how its numbers came about and what they take for granted."""
    row = judged(load)
    assert words in row["assumptions"]
    assert "users as active as today; as many processes as today" in row["assumptions"]


def test_users_that_never_vary_leave_all_in_doubt() -> None:
    """Where no effect can be seen, the ends are no growth and growth in proportion."""
    row = judged(lambda _, rng: rng.gauss(20, 1), users=lambda _, __: 50)
    assert row["projected_low"] == pytest.approx(20, rel=0.2)
    assert row["projected_high"] == pytest.approx(200, rel=0.2)
    assert "too little to see" in row["assumptions"]
