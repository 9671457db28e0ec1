"""What growth does to each load: the bins of `capacity` in, one row per load out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logkit_analysis.detect.projection import Projection, project
from logkit_analysis.results import Column, ResultSet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

_COLUMNS = tuple(
    Column(name, kind)
    for name, kind in (
        ("service", "VARCHAR"),
        ("resource", "VARCHAR"),
        ("part", "VARCHAR"),
        ("bins", "BIGINT"),
        ("active", "DOUBLE"),
        ("load", "DOUBLE"),
        ("load_per_active", "DOUBLE"),
        ("projected_active", "DOUBLE"),
        ("projected_load", "DOUBLE"),
        ("projected_low", "DOUBLE"),
        ("projected_high", "DOUBLE"),
        ("limit_load", "DOUBLE"),
        ("verdict", "VARCHAR"),
        ("limit_at_active", "DOUBLE"),
        ("assumptions", "VARCHAR"),
    )
)
# A bin without one of these is a bin with none of it; other loads are samples, or unknown.
_COUNTS = frozenset({"requests_per_minute", "requests_in_flight", "tokens_per_minute"})
_PER_PROCESS = frozenset({"cpu_percent", "rss_bytes", "open_connections"})


@dataclass(frozen=True, slots=True)
class _Load:
    """One load over the bins; *growth* times as many of *per* are asked about."""

    bins: Sequence[Mapping[str, Any]]
    resource: str
    growth: float
    per: str

    @property
    def limit(self) -> float | None:
        """What there is of it, by the newest bin that tells."""
        known = [one["limit_load"] for one in self.bins if one["limit_load"] is not None]
        return float(known[-1]) if known else None


def detect(rows: ResultSet, again: Callable[[Mapping[str, object]], ResultSet]) -> ResultSet:
    """Return one row for each load of each service.

    Args:
        rows: Bins of the `capacity` query.
        again: Not needed here.
    """
    del again
    bins: list[dict[str, Any]] = list(rows.dicts())
    active: dict[datetime, int] = {row["bucket_at"]: row["active"] for row in bins}
    # The window cuts the first and the last bin.
    whole = sorted(active)[1:-1]
    groups: dict[tuple[Any, Any, Any], list[dict[str, Any]]] = {}
    for row in bins:
        groups.setdefault((row["service"], row["resource"], row["part"]), []).append(row)
    found = []
    for key, group in groups.items():
        points = _points(group, {at: active[at] for at in whole}, fills_up=key[1] in _COUNTS)
        load = _Load(group, key[1], group[0]["asked_growth"], group[0]["asked_per"])
        projection = project(points, load.growth)
        if projection is not None:
            found.append((*key, len(points), *_answer(projection, load)))
    return ResultSet(_COLUMNS, found)


def _points(
    group: Sequence[Mapping[str, Any]], active: Mapping[datetime, int], *, fills_up: bool
) -> list[tuple[float, float]]:
    """Return active and load of each bin, in order of time."""
    loads = {row["bucket_at"]: float(row["load"]) for row in group if row["load"] is not None}
    return [
        (float(count), loads.get(at, 0.0))
        for at, count in active.items()
        if fills_up or at in loads
    ]


def _answer(found: Projection, load: _Load) -> tuple[object, ...]:
    limit = load.limit
    return (
        found.active,
        found.load,
        found.slope,
        found.active * load.growth,
        found.middle,
        found.low,
        found.high,
        limit,
        None if limit is None else _verdict(found, limit),
        None if limit is None else found.reaches(limit),
        _assumptions(found, load),
    )


def _verdict(found: Projection, limit: float) -> str:
    if found.high < limit:
        return "fits"
    return "exceeds" if found.low > limit else "uncertain"


def _assumptions(found: Projection, load: _Load) -> str:
    """Return what the projection rests on, the weakest point first."""
    seen = f"{found.fewest:g} to {found.most:g} {load.per} a bin were seen"
    words = {
        "line": f"straight line, {seen}",
        "bends": f"{seen}; it bends upwards: the upper end grows with the square of the {load.per}",
        "flat": f"{seen}, without any effect on this load",
        "narrow": f"too little to see an effect: {seen}; from no growth to growth in proportion",
    }
    told = [words[found.basis], f"{load.per} as active as today"]
    if load.resource in _PER_PROCESS:
        told.append("as many processes as today")
    if load.resource == "cpu_percent":
        told.append("a process has one core")
    return "; ".join(told)
