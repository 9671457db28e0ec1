"""What is true of a sample incident, as it stands in ``truth.json``; times are in UTC.

What the generator put in is called constructed. Everything else is counted again from the
written files, by the rules of the canned queries but without them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open time window that holds every event (constructed)."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class FileTruth:
    """One file: bytes on disk and decompressed, and what its lines are."""

    bytes: int
    stream_bytes: int
    lines: int
    events: int
    rejects: int


@dataclass(frozen=True, slots=True)
class DirtyLine:
    """A line that is no proper event.

    Attributes:
        file: Name of the file.
        line: Number of the line, from 1.
        offset: Byte offset of its start in the decompressed file.
        kind: What is wrong with it (constructed).
        is_event: Whether it is a JSON object all the same.
    """

    file: str
    line: int
    offset: int
    kind: str
    is_event: bool


@dataclass(frozen=True, slots=True)
class Deploy:
    """A new version of one service (constructed)."""

    service: str
    stopped_at: datetime
    started_at: datetime
    old_version: str
    new_version: str


@dataclass(frozen=True, slots=True)
class Restart:
    """A crash and the start after it, same version (constructed)."""

    service: str
    crashed_at: datetime
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Degradation:
    """One endpoint is slow from *started_at* until *ended_at*.

    Times and ``..._median_ms`` are constructed (medians of the log-normal distributions);
    ``..._p50_ms`` and the error ratios of that endpoint are measured outside and inside.
    """

    service: str
    method: str
    endpoint: str
    started_at: datetime
    ended_at: datetime
    baseline_median_ms: float
    degraded_median_ms: float
    baseline_p50_ms: float
    degraded_p50_ms: float
    baseline_error_ratio: float
    degraded_error_ratio: float


@dataclass(frozen=True, slots=True)
class Storm:
    """429s of one service and scope without a gap over 120 s, five at least."""

    service: str
    scope: str
    endpoint: str
    bucket: str | None
    started_at: datetime
    ended_at: datetime
    hits: int
    ignored_retry_after: int
    retry_amplification: float


@dataclass(frozen=True, slots=True)
class Blip:
    """429s that are too few for a storm (constructed)."""

    service: str
    endpoint: str
    started_at: datetime
    hits: int


@dataclass(frozen=True, slots=True)
class Leak:
    """Memory that grows steadily since the deploy, all constructed; samples add noise."""

    service: str
    metric: str
    started_at: datetime
    base_bytes: int
    slope_bytes_per_hour: int
    limit_bytes: int
    exhausts_at: datetime


@dataclass(frozen=True, slots=True)
class QueueBackup:
    """The longest run of queue samples deeper than *threshold_depth*, first to last."""

    service: str
    queue: str
    threshold_depth: int
    started_at: datetime
    ended_at: datetime
    peak_at: datetime
    peak_depth: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows with a timestamp, by the rule of what a request and an error is."""

    requests: int
    errors: int
    rate_limited: int
    server_errors: int


@dataclass(frozen=True, slots=True)
class IncidentTruth:
    """All that is known about one sample incident."""

    seed: int
    window: Window
    lines: int
    events: int
    rejects: dict[str, int]
    files: dict[str, FileTruth]
    deploy: Deploy
    restart: Restart
    degradation: Degradation
    storms: tuple[Storm, ...]
    blip: Blip
    leak: Leak
    queue_backup: QueueBackup
    counts: Counts
    counts_by_service: dict[str, Counts]
    uses_by_command: dict[str, int]
    dirty_lines: tuple[DirtyLine, ...]
