"""One action as a waterfall: its steps nested, with the stretches of which no step tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEAST_GAP = timedelta(milliseconds=1)
_LEAST_GAP_SHARE = 0.02
_MOST_DEPTH = 8
_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of an action.

    Attributes:
        row: Row of the query `trace`.
        offset_ms: Milliseconds from the start of the action.
        depth: Steps around it, by their span ids.
        gap_before_ms: Milliseconds before it in which no step was under way; 0 without a gap.
        is_queued: Whether that gap is the time that it, or a step around it, waited in a queue.
    """

    row: dict[str, Any]
    offset_ms: float
    depth: int
    gap_before_ms: float
    is_queued: bool


def waterfall(rows: Sequence[dict[str, Any]]) -> list[Step]:
    """Return the steps of the action whose rows, in order of their start, are *rows*."""
    if not rows:
        return []
    begun: datetime = rows[0]["started_at"]
    total = max(row["ended_at"] for row in rows) - begun
    least = max(_LEAST_GAP, total * _LEAST_GAP_SHARE)
    depths = _depths(rows)
    around = [_holds_others(row, rows) for row in rows]
    steps: list[Step] = []
    busy_until = begun
    for row, depth, is_around in zip(rows, depths, around, strict=True):
        gap = max(row["started_at"] - busy_until, timedelta(0))
        gap_ms = gap / _MS if gap >= least else 0.0
        offset_ms = (row["started_at"] - begun) / _MS
        steps.append(Step(row, offset_ms, depth, gap_ms, gap_ms > 0 and _is_queued(gap_ms, rows)))
        # A step around others says nothing of what went on between them, only that it had begun.
        busy_until = max(busy_until, row["started_at" if is_around else "ended_at"])
    return steps


def _holds_others(row: dict[str, Any], rows: Sequence[dict[str, Any]]) -> bool:
    return any(
        other is not row
        and other["duration_ms"]
        and row["started_at"] <= other["started_at"]
        and other["ended_at"] <= row["ended_at"]
        for other in rows
    )


def _is_queued(gap_ms: float, rows: Sequence[dict[str, Any]]) -> bool:
    """Return whether some step waited in a queue for about as long, half of the gap at least."""
    return any(gap_ms / 2 <= (row["queue_wait_ms"] or 0) <= gap_ms * 1.5 for row in rows)


def _depths(rows: Sequence[dict[str, Any]]) -> list[int]:
    parents = {row["span_id"]: row["parent_span_id"] for row in rows if row["span_id"]}
    depths = []
    for row in rows:
        depth, span = 0, row["parent_span_id"]
        while span in parents and depth < _MOST_DEPTH:
            depth, span = depth + 1, parents[span]
        depths.append(depth)
    return depths
