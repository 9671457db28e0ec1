"""Counts again, in plain Python and from the written lines alone, what an incident holds.

The rules are the published ones of the canned queries, so that these figures can judge them:
nothing here knows how the events were made.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from logkit_analysis.demo.truth import Counts, QueueBackup, Storm

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_STORM_GAP_US = 120_000_000
_STORM_HITS = 5
_BACKUP_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Request:
    """An event that counts as a request; times are whole microseconds since 1970."""

    service: str
    endpoint: str | None
    method: str | None
    bucket: str | None
    is_global: bool
    is_error: bool
    status: int | None
    duration_ms: float | None
    started_us: int
    ended_us: int
    retry_after_us: int | None
    attempt: int

    @property
    def scope(self) -> str:
        """Whom a 429 binds: everything, else its bucket, else its endpoint."""
        return "global" if self.is_global else self.bucket or self.endpoint or ""


def as_requests(events: Iterable[dict[str, Any]]) -> list[Request]:
    """Return the requests among events that carry a time, in the order of their ends."""
    found = (_request(event) for event in events if "timestamp" in event)
    return sorted((one for one in found if one is not None), key=lambda one: one.ended_us)


def _request(event: dict[str, Any]) -> Request | None:
    status = _whole(event.get("status_code"))
    duration = _number(event.get("duration_ms"))
    is_timed = duration is not None and ("endpoint" in event or "command" in event)
    if status is None and not is_timed:
        return None
    ended_us = _microseconds(event["timestamp"])
    wait_ms = _whole(event.get("retry_after_ms"))
    return Request(
        service=event["service"],
        endpoint=event.get("endpoint"),
        method=event.get("method"),
        bucket=event.get("rate_limit_bucket"),
        is_global=event.get("rate_limit_scope") == "global",
        is_error=_is_error(status, event["level"]),
        status=status,
        duration_ms=duration,
        started_us=ended_us - round((duration or 0) * 1_000),
        ended_us=ended_us,
        retry_after_us=None if wait_ms is None else wait_ms * 1_000,
        attempt=_whole(event.get("attempt")) or 0,
    )


def _is_error(status: int | None, level: str) -> bool:
    if status is None:
        return level in ("error", "critical")
    return status >= 400 and status != 429


def _number(value: object) -> float | None:
    """Return a number, also one that is written as text; anything else is ``None``."""
    try:
        return float(value) if isinstance(value, int | float | str) else None
    except ValueError:
        return None


def _whole(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number.is_integer() else None


def _microseconds(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def count(requests: Iterable[Request]) -> Counts:
    """Return requests, errors, 429s and server errors."""
    chosen = list(requests)
    return Counts(
        requests=len(chosen),
        errors=sum(request.is_error for request in chosen),
        rate_limited=sum(request.status == 429 for request in chosen),
        server_errors=sum((request.status or 0) >= 500 for request in chosen),
    )


def count_by_service(requests: Iterable[Request]) -> dict[str, Counts]:
    """Return the counts of each service."""
    grouped: dict[str, list[Request]] = defaultdict(list)
    for request in requests:
        grouped[request.service].append(request)
    return {service: count(grouped[service]) for service in sorted(grouped)}


def median_ms(requests: Iterable[Request]) -> float:
    """Return the median duration of requests that have one."""
    return median(one.duration_ms for one in requests if one.duration_ms is not None)


def uses_by_command(events: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Return how many user actions (distinct correlation ids) each command had."""
    ids: dict[str, set[str]] = defaultdict(set)
    for event in events:
        if "command" in event:
            ids[event["command"]].add(event["correlation_id"])
    return {command: len(ids[command]) for command in sorted(ids)}


def find_storms(requests: Sequence[Request]) -> tuple[Storm, ...]:
    """Return every storm of 429s, in the order of start; *requests* in the order of end."""
    denials: dict[tuple[str, str], list[Request]] = defaultdict(list)
    for request in requests:
        if request.status == 429:
            denials[request.service, request.scope].append(request)
    runs = [run for group in denials.values() for run in _runs(group) if len(run) >= _STORM_HITS]
    storms = [_storm(run, requests) for run in runs]
    return tuple(sorted(storms, key=lambda storm: storm.started_at))


def _runs(denials: list[Request]) -> list[list[Request]]:
    runs = [[denials[0]]]
    for denial in denials[1:]:
        if denial.ended_us - runs[-1][-1].ended_us > _STORM_GAP_US:
            runs.append([])
        runs[-1].append(denial)
    return runs


def _storm(run: list[Request], requests: Sequence[Request]) -> Storm:
    first, last = run[0], run[-1]
    waits = [(one.ended_us, one.ended_us + (one.retry_after_us or 0)) for one in run]
    bound = [one for one in requests if _binds(first, one)]
    during = [one for one in bound if first.ended_us <= one.ended_us <= last.ended_us]
    return Storm(
        service=first.service,
        scope=first.scope,
        endpoint=first.endpoint or "",
        bucket=first.bucket,
        started_at=_utc(first.ended_us),
        ended_at=_utc(last.ended_us),
        hits=len(run),
        ignored_retry_after=_ignored(bound, waits),
        retry_amplification=len(during) / sum(one.attempt == 0 for one in during),
    )


def _binds(denial: Request, other: Request) -> bool:
    if other.service != denial.service:
        return False
    if denial.is_global:
        return True
    if denial.bucket is not None:
        return other.bucket == denial.bucket
    return other.endpoint == denial.endpoint


def _ignored(requests: Iterable[Request], waits: list[tuple[int, int]]) -> int:
    """Count the starts strictly inside a wait; *waits* are in the order of their beginning."""
    begins = [begin for begin, _ in waits]
    longest_end, end = [0], 0
    for _, wait_end in waits:
        end = max(end, wait_end)
        longest_end.append(end)
    # Of the waits that began before a start, the one that ends last decides.
    return sum(
        one.started_us < longest_end[bisect_left(begins, one.started_us)] for one in requests
    )


def find_backup(events: Iterable[dict[str, Any]], service: str, queue: str) -> QueueBackup:
    """Return the longest run of samples of a queue that are deeper than 20."""
    samples = sorted(
        (_microseconds(event["timestamp"]), event["queue_depth"])
        for event in events
        if event.get("queue") == queue and event["service"] == service
    )
    run: list[tuple[int, int]] = []
    longest = run
    for sample in samples:
        if sample[1] > _BACKUP_DEPTH:
            run.append(sample)
        else:
            longest, run = max(longest, run, key=len), []
    longest = max(longest, run, key=len)
    peak_us, peak_depth = max(longest, key=lambda sample: sample[1])
    ends = _utc(longest[0][0]), _utc(longest[-1][0])
    return QueueBackup(service, queue, _BACKUP_DEPTH, *ends, _utc(peak_us), peak_depth)


def _utc(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
