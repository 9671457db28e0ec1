"""How much comes in, how much of it fails and how long it takes, over the last minute."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

WINDOW_S = 60
"""Seconds that a status speaks of."""
SLOT_S = 5
"""Seconds of one step of the series: a percentile of a second is noise with most bots."""
# Durations kept of one slot; more are thinned evenly, by which the percentile hardly moves.
_MOST_DURATIONS = 20_000
_SLOTS = WINDOW_S // SLOT_S
_TOO_MANY_REQUESTS = 429
_QUANTILE = 0.95


@dataclass(frozen=True, slots=True)
class Status:
    """What came in lately.

    Attributes:
        lines_per_s: Lines per second, events and others, over the last one or two slots.
        requests: Requests of the last `WINDOW_S`.
        errors: Those that failed, 429s apart.
        error_ratio: ``errors / requests``, ``None`` without requests.
        rate_limited: 429s.
        rejects: Lines that are no events.
        p95_ms: The 95th percentile of the durations of requests, for each slot of the window,
            oldest first; ``None`` where there were none.
        last_p95_ms: The newest of these, ``None`` if there is none.
    """

    lines_per_s: float
    requests: int
    errors: int
    error_ratio: float | None
    rate_limited: int
    rejects: int
    p95_ms: tuple[float | None, ...]
    last_p95_ms: float | None


@dataclass(slots=True)
class _Slot:
    """What came in during `SLOT_S` of the clock."""

    number: int
    lines: int = 0
    requests: int = 0
    errors: int = 0
    rate_limited: int = 0
    rejects: int = 0
    durations: list[NDArray[Any]] = field(default_factory=list)
    p95_ms: float | None = None

    def close(self) -> None:
        """Keep of the durations their percentile alone."""
        self.p95_ms = self.percentile()
        self.durations.clear()

    def percentile(self) -> float | None:
        """Return the percentile of the durations, between neighbours as ``lk_percentile``."""
        if not self.durations:
            return self.p95_ms
        return float(np.quantile(np.concatenate(self.durations), _QUANTILE))


class Rates:
    """Counts what comes in by the time of its coming; memory has a bound.

    Args:
        now: Seconds on the clock that all calls share, such as `time.monotonic`.
    """

    def __init__(self, now: float) -> None:
        self._started = now
        self._slots: deque[_Slot] = deque(maxlen=_SLOTS)

    def add(self, table: pa.Table, now: float, *, rejects: int = 0) -> None:
        """Count the events of *table*, which came in at *now*, and lines that are none.

        Columns that do not occur in the table are NULL.
        """
        slot = self._slot(now)
        slot.lines += table.num_rows + rejects
        slot.rejects += rejects
        if not table.num_rows:
            return
        status, duration = _column(table, "status_code"), _column(table, "duration_ms")
        has_status = pc.is_valid(status)
        is_call = pc.or_(
            pc.is_valid(_column(table, "endpoint")), pc.is_valid(_column(table, "command"))
        )
        is_request = pc.or_(has_status, pc.and_(pc.is_valid(duration), is_call))
        is_bad_level = pc.is_in(_column(table, "level"), pa.array(["error", "critical"]))
        is_limited = pc.fill_null(pc.equal(status, _TOO_MANY_REQUESTS), False)
        is_bad_status = pc.and_not(pc.fill_null(pc.greater_equal(status, 400), False), is_limited)
        is_error = pc.if_else(has_status, is_bad_status, is_bad_level)
        slot.requests += _count(is_request)
        slot.errors += _count(pc.and_(is_request, is_error))
        slot.rate_limited += _count(is_limited)
        took = duration.filter(is_request).drop_null()
        if len(took):
            slot.durations = _bounded([*slot.durations, took.to_numpy()])

    def status(self, now: float) -> Status:
        """Return what came in during the window up to *now*."""
        end = int(now // SLOT_S) + 1
        slots = {one.number: one for one in self._slots if one.number >= end - _SLOTS}
        requests, errors, rate_limited, rejects = (
            sum(getattr(one, name) for one in slots.values())
            for name in ("requests", "errors", "rate_limited", "rejects")
        )
        places = (slots.get(number) for number in range(end - _SLOTS, end))
        p95_ms = tuple(one.percentile() if one else None for one in places)
        return Status(
            lines_per_s=self._lines_per_s(slots, now),
            requests=requests,
            errors=errors,
            error_ratio=errors / requests if requests else None,
            rate_limited=rate_limited,
            rejects=rejects,
            p95_ms=p95_ms,
            last_p95_ms=next((value for value in reversed(p95_ms) if value is not None), None),
        )

    def _slot(self, now: float) -> _Slot:
        number = int(now // SLOT_S)
        if not self._slots or self._slots[-1].number < number:
            if self._slots:
                self._slots[-1].close()
            self._slots.append(_Slot(number))
        return self._slots[-1]

    def _lines_per_s(self, slots: dict[int, _Slot], now: float) -> float:
        """Return the mean of the present slot, which is not over, and the one before."""
        present = int(now // SLOT_S)
        since = max((present - 1) * SLOT_S, self._started)
        lines = sum(slots[number].lines for number in (present - 1, present) if number in slots)
        return lines / max(now - since, 1.0)


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    if name in table.column_names:
        return table.column(name)
    kind = pa.string() if name not in ("status_code", "duration_ms") else pa.float64()
    return pa.chunked_array([pa.nulls(table.num_rows, kind)])


def _count(mask: pa.ChunkedArray) -> int:
    return int(pc.sum(mask).as_py() or 0)


def _bounded(durations: list[NDArray[Any]]) -> list[NDArray[Any]]:
    """Return *durations*, thinned evenly if they are too many."""
    if sum(map(len, durations)) <= _MOST_DURATIONS:
        return durations
    together = np.concatenate(durations)
    return [together[:: -(-len(together) // (_MOST_DURATIONS // 2))]]
