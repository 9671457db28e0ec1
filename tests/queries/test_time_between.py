"""time_between against a plain computation, and on lines that are not neighbours."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .random_events import Event, nulls_last, percentile

START = datetime(2026, 1, 31, 9, tzinfo=UTC)
LINES = ("ask begun", "ask 7 ended", "other", None)


def random_lines(seed: int, count: int) -> list[Event]:
    """Return lines of a few loggers, some of which begin or end something."""
    rng = random.Random(seed)
    return [
        {
            "timestamp": START + timedelta(milliseconds=rng.randrange(1000) + 1000 * number),
            "service": rng.choice(["bot", None]),
            "instance": rng.choice(["i1", "i2", None]),
            "logger": rng.choice(["llm", None]),
            "event": rng.choice(["ask_begun", None, None]),
            "message": rng.choice(LINES),
        }
        for number in range(count)
    ]


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 60))
def test_pairs_are_neighbours(store: Any, seed: int, count: int) -> None:
    """A pair is a line that begins and, next among such lines of its logger, one that ends."""
    rows = random_lines(seed, count)
    store.fill(rows)
    runs: dict[Any, list[tuple[bool, datetime]]] = defaultdict(list)
    for row in rows:
        text = " ".join(filter(None, (row["event"], row["message"])))
        if "begun" in text or "ended" in text:
            place = (row["service"], row["instance"], row["logger"])
            runs[place].append(("begun" in text, row["timestamp"]))
    groups: dict[Any, dict[str, Any]] = defaultdict(lambda: {"first": 0, "next": 0, "ms": []})
    for (service, _, logger), lines in runs.items():
        group = groups[service, logger]
        group["first"] += sum(is_first for is_first, _ in lines)
        group["next"] += sum(not is_first for is_first, _ in lines)
        group["ms"] += [
            (end - start) / timedelta(milliseconds=1)
            for (is_first, start), (is_other, end) in itertools.pairwise(lines)
            if is_first and not is_other
        ]
    expected = [
        {
            "service": service,
            "logger": logger,
            "first_lines": group["first"],
            "next_lines": group["next"],
            "pairs": len(group["ms"]),
            "max_ms": max(group["ms"], default=None),
            "p95_ms": percentile(group["ms"], Fraction(95, 100)) if group["ms"] else None,
        }
        for (service, logger), group in sorted(
            groups.items(), key=lambda item: (-len(item[1]["ms"]), nulls_last(*item[0]))
        )
    ]
    found = store.run("time_between", first="begun", next="ended|failed")
    names = expected[0].keys() if expected else ()
    assert [{name: row[name] for name in names} for row in found] == [
        {**row, "p95_ms": row["p95_ms"] and pytest.approx(row["p95_ms"])} for row in expected
    ]
