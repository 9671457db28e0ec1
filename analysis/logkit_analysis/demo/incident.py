"""Writes the sample incident: several hours of a Discord bot's logs, and what is true of them.

The story: a deploy of the worker brings a memory leak and code that no longer waits for
``retry_after``. An hour later the platform slows down for one endpoint, the command queue backs
up, and the progress edits for the waiting users turn into storms of 429s. The platform recovers
and the queue drains; the leak stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import orjson

from logkit_analysis.demo import cast, dirt, files, limits, recount, vitals
from logkit_analysis.demo.tape import Process, Tape
from logkit_analysis.demo.timeline import HOUR, Span, Timeline, as_datetime, draw_timeline
from logkit_analysis.demo.traffic import DEGRADED_MEDIAN_MS, Wait, Worker, hex_id, receive_commands
from logkit_analysis.demo.truth import (
    Blip,
    Degradation,
    Deploy,
    DirtyLine,
    IncidentTruth,
    Leak,
    Restart,
    Window,
)

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_START = datetime(2026, 3, 19, 8, tzinfo=UTC)
"""Start of the sample's six hours."""

FILES = {
    cast.WORKER: ("bot-worker.log.2.gz", "bot-worker.log.1", "bot-worker.log"),
    cast.GATEWAY: ("bot-gateway.log",),
}
"""Files of each service, oldest first."""

_MIB = 2**20
_OLD_VERSION, _NEW_VERSION = "2.4.1", "2.5.0"


@dataclass(frozen=True, slots=True)
class _Script:
    """What is settled before the first line is written."""

    seed: int
    timeline: Timeline
    leak: vitals.Memory


def write_incident(
    directory: Path, *, seed: int = 7, start: datetime = DEFAULT_START
) -> IncidentTruth:
    """Write the log files and ``truth.json`` into *directory*, which is made if missing.

    Args:
        directory: Where the files go; files of the same names are replaced.
        seed: Same seed and start, same bytes.
        start: Begin of the six hours, with a time zone.

    Returns:
        What ``truth.json`` says.
    """
    rng = Random(seed)  # noqa: S311 - not a secret, and must repeat
    script = _draw_script(seed, start, rng)
    directory.mkdir(parents=True, exist_ok=True)
    dirty = [
        line
        for tape in _play(script, rng)
        for line in files.write_tape(tape, directory, FILES[tape.service])
    ]
    truth = _tell(script, directory, dirty)
    options = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
    (directory / "truth.json").write_bytes(orjson.dumps(truth, option=options))
    return truth


def _draw_script(seed: int, start: datetime, rng: Random) -> _Script:
    timeline = draw_timeline(start, rng)
    slope = rng.randrange(80 * _MIB, 96 * _MIB)
    leak = vitals.Memory(230 * _MIB, 768 * _MIB, timeline.deploy.end, slope)
    return _Script(seed, timeline, leak)


def _play(script: _Script, rng: Random) -> tuple[Tape, Tape]:
    """Return what the gateway and the worker log."""
    timeline = script.timeline
    gateway, worker = _gateway(timeline, rng), _worker(timeline, rng)
    commands = receive_commands(timeline, gateway, rng)
    waits = Worker(timeline, worker, rng).handle(commands)
    for span in timeline.storms:
        limits.storm(span, worker, rng)
    limits.blip(timeline.blip_at, worker, rng)
    _measure(script, gateway, worker, waits, rng)
    dirt.scatter(timeline, gateway, worker)
    return gateway, worker


def _measure(script: _Script, gateway: Tape, worker: Tape, waits: list[Wait], rng: Random) -> None:
    window = script.timeline.window
    vitals.lifecycle(gateway)
    vitals.stopped(worker, script.timeline.deploy.start)
    vitals.lifecycle(worker)
    vitals.resources(gateway, window, vitals.Memory(140 * _MIB, 512 * _MIB), rng)
    vitals.resources(worker, window, script.leak, rng)
    vitals.queue_depths(worker, window, waits, rng)
    vitals.heartbeats(gateway, window, rng)


def _gateway(timeline: Timeline, rng: Random) -> Tape:
    versions = _OLD_VERSION, _OLD_VERSION
    return Tape(cast.GATEWAY, "edge-1", _processes(timeline, timeline.crash, versions, rng))


def _worker(timeline: Timeline, rng: Random) -> Tape:
    versions = _OLD_VERSION, _NEW_VERSION
    return Tape(cast.WORKER, "worker-1", _processes(timeline, timeline.deploy, versions, rng))


def _processes(
    timeline: Timeline, down: Span, versions: tuple[str, str], rng: Random
) -> tuple[Process, Process]:
    """Return the run before *down*, which has logged for long, and the one after."""
    window = timeline.window
    old, new = hex_id(48, rng), hex_id(48, rng)
    return (
        Process(Span(window.start, down.start), old, 812, versions[0], rng.randrange(10**5)),
        Process(Span(down.end, window.end), new, rng.randrange(900, 9_000), versions[1], 0),
    )


def _tell(script: _Script, directory: Path, dirty: list[DirtyLine]) -> IncidentTruth:
    read = {name: files.read_file(directory / name) for names in FILES.values() for name in names}
    events = [event for _, found in read.values() for event in found]
    requests = recount.as_requests(events)
    figures = [figure for figure, _ in read.values()]
    timeline = script.timeline
    return IncidentTruth(
        seed=script.seed,
        window=Window(as_datetime(timeline.window.start), as_datetime(timeline.window.end)),
        lines=sum(figure.lines for figure in figures),
        events=len(events),
        rejects=_rejects(dirty),
        files={name: figure for name, (figure, _) in sorted(read.items())},
        **_constructed(script),
        degradation=_degradation(timeline, requests),
        storms=recount.find_storms(requests),
        queue_backup=recount.find_backup(events, cast.WORKER, cast.QUEUE),
        counts=recount.count(requests),
        counts_by_service=recount.count_by_service(requests),
        uses_by_command=recount.uses_by_command(events),
        dirty_lines=tuple(dirty),
    )


def _constructed(script: _Script) -> dict[str, Any]:
    timeline, leak = script.timeline, script.leak
    stopped, started = map(as_datetime, (timeline.deploy.start, timeline.deploy.end))
    crashed, restarted = map(as_datetime, (timeline.crash.start, timeline.crash.end))
    hours_left = (leak.limit_bytes - leak.base_bytes) / leak.slope_bytes_per_hour
    return {
        "deploy": Deploy(cast.WORKER, stopped, started, _OLD_VERSION, _NEW_VERSION),
        "restart": Restart(cast.GATEWAY, crashed, restarted),
        "blip": Blip(
            cast.WORKER, cast.MEMBER.route, as_datetime(timeline.blip_at), limits.BLIP_HITS
        ),
        "leak": Leak(
            service=cast.WORKER,
            metric="rss_bytes",
            started_at=started,
            base_bytes=leak.base_bytes,
            slope_bytes_per_hour=leak.slope_bytes_per_hour,
            limit_bytes=leak.limit_bytes,
            exhausts_at=as_datetime(timeline.deploy.end + hours_left * HOUR),
        ),
    }


def _degradation(timeline: Timeline, requests: list[recount.Request]) -> Degradation:
    sends = [
        one
        for one in requests
        if (one.service, one.method, one.endpoint)
        == (cast.WORKER, cast.SEND.method, cast.SEND.route)
    ]
    slow = timeline.degradation
    inside = [one for one in sends if slow.holds(one.ended_us / 1_000)]
    outside = [one for one in sends if not slow.holds(one.ended_us / 1_000)]
    within, without = recount.count(inside), recount.count(outside)
    return Degradation(
        service=cast.WORKER,
        method=cast.SEND.method,
        endpoint=cast.SEND.route,
        started_at=as_datetime(slow.start),
        ended_at=as_datetime(slow.end),
        baseline_median_ms=cast.SEND.median_ms,
        degraded_median_ms=DEGRADED_MEDIAN_MS,
        baseline_p50_ms=recount.median_ms(outside),
        degraded_p50_ms=recount.median_ms(inside),
        baseline_error_ratio=without.errors / without.requests,
        degraded_error_ratio=within.errors / within.requests,
    )


def _rejects(dirty: list[DirtyLine]) -> dict[str, int]:
    kinds = [line.kind for line in dirty if not line.is_event]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}
