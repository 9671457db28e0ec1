"""silences: a service that writes nothing, though it usually does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

START = datetime(2026, 1, 31, 9, tzinfo=UTC)


def rows(service: str, minutes: Iterable[float]) -> list[dict[str, Any]]:
    """Return a row of *service* at each of these minutes."""
    return [{"timestamp": START + timedelta(minutes=m), "service": service} for m in minutes]


def silences(store: Any, *parts: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return service, and minutes of start and end, of what is found in *parts* together."""
    store.fill([row for part in parts for row in part])

    def minute(at: datetime | None) -> float | None:
        return None if at is None else (at - START) / timedelta(minutes=1)

    return [
        (row["service"], minute(row["started_at"]), minute(row["ended_at"]))
        for row in store.run("silences")
    ]


@pytest.mark.parametrize(
    ("minutes", "found"),
    [
        pytest.param([*range(60), *range(80, 120)], [(59, 80)], id="twenty-minutes-away"),
        pytest.param([*range(60), *range(63, 120)], [], id="shorter-than-five-minutes"),
        pytest.param(range(90), [(89, None)], id="away-at-the-end"),
        pytest.param(range(0, 120, 7), [], id="rarely-writes"),
        pytest.param(
            [*range(0, 60, 7), *range(90, 120, 7)], [(56, 90)], id="far-longer-than-usual"
        ),
        pytest.param([m for m in range(120) if m % 20 < 5], [], id="comes-in-bursts"),
    ],
)
def test_a_silence_is_far_longer_than_usual_pauses(
    store: Any, minutes: Iterable[float], found: list[tuple[float, float | None]]
) -> None:
    """What is silent is told from what often pauses, and an end from the end of the log."""
    others = rows("web", (m / 2 for m in range(240)))
    expected = [("bot", *one) for one in found]
    assert silences(store, rows("bot", minutes), others) == expected


def test_the_end_of_the_log_is_no_silence(store: Any) -> None:
    """Where nobody writes any more, nobody is silent: the log ends."""
    assert silences(store, rows("bot", range(60)), rows("web", range(58))) == []
