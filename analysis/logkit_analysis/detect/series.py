"""The bins of the `degradation_start` query, sorted into series of one thing each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from logkit_analysis.results import ResultSet


class Key(NamedTuple):
    """What a series is about; names are ``None`` where the events have none."""

    series: str
    service: str | None
    method: str | None
    endpoint: str | None
    queue: str | None


@dataclass(frozen=True, slots=True)
class Bin:
    """What happened in one bin.

    Attributes:
        at: Start of the bin.
        first_at: Start of its first call, or its first sample.
        answered: Calls without 429s.
        errors: Failed calls.
        samples: Successful calls with a duration, or samples of a figure.
        centre: Their median; ``None`` without samples.
        upper_end: Their 90th percentile.
        slow_id: Correlation id of the slowest successful call.
        failed_id: Correlation id of a failed call.
    """

    at: datetime
    first_at: datetime
    answered: int
    errors: int
    samples: int
    centre: float | None
    upper_end: float | None
    slow_id: str | None
    failed_id: str | None


def read_series(result: ResultSet) -> dict[Key, list[Bin]]:
    """Return the bins of each series in order of time."""
    grouped: dict[Key, list[Bin]] = {}
    for row in _rows(result):
        key = Key(*(row[name] for name in Key._fields))
        grouped.setdefault(key, []).append(
            Bin(
                at=row["bin_at"],
                first_at=row["first_at"],
                answered=row["answered"],
                errors=row["errors"],
                samples=row["samples"],
                centre=row["centre"],
                upper_end=row["upper_end"],
                slow_id=row["slow_id"],
                failed_id=row["failed_id"],
            )
        )
    for bins in grouped.values():
        bins.sort(key=lambda one: one.at)
    return grouped


def _rows(result: ResultSet) -> Iterable[dict[str, Any]]:
    return result.dicts()
