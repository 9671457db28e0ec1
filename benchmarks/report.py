"""What a report on a million lines costs and weighs, against GoAccess on the same traffic.

GoAccess gets the requests as an access log in the combined format, the only thing that it reads;
logkit gets them as events, ingested before the clock starts. Both write one HTML file.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import orjson
from logkit_analysis.ingest import ingest
from logkit_analysis.intake import Silent

from benchmarks.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINES = 1_000_000
_START = datetime(2026, 3, 19, tzinfo=UTC)
_DAY_S = 86_400
_SLOW_S = range(50_400, 54_000)
_ENDPOINTS = (
    ("POST", "/channels/{channel_id}/messages"),
    ("PATCH", "/channels/{channel_id}/messages/{message_id}"),
    ("GET", "/guilds/{guild_id}/members/{user_id}"),
    ("GET", "/v1/forecast"),
)
_AIM_S = 3.0
_AIM_KB = 450.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request of the made-up day, in which one endpoint is slow for an hour."""

    at: datetime
    method: str
    endpoint: str
    status: int
    duration_ms: float
    user: int


def measure(folder: Path, scale: float) -> list[Figure]:
    """Return CPU time and size of the report; nothing where GoAccess is not installed."""
    if shutil.which("goaccess") is None:
        print("report: not measured, needs the program goaccess", file=sys.stderr)
        return []
    lines = max(1_000, round(_LINES * scale))
    events, access = folder / "bot.log", folder / "access.log"
    _write(lines, events, access)
    database = folder / "ours.duckdb"
    ingest(database, [str(events)], zone=UTC, progress=Silent(), on_wait=print)
    ours, theirs = folder / "ours.html", folder / "theirs.html"
    logkit = str(Path(sys.executable).with_name("logkit"))
    our_cpu = _cpu([logkit, "report", "--db", str(database), "--output", str(ours)])
    goaccess = ["goaccess", str(access), "--log-format=COMBINED", "--no-global-config"]
    their_cpu = _cpu([*goaccess, "--no-progress", "--output", str(theirs)])
    what = f"report on {lines:,} lines"
    sizes = [path.stat().st_size / 1e3 for path in (ours, theirs)]
    return [
        Figure(f"{what}, CPU (aim: {_AIM_S:.0f} s)", "s", our_cpu, "GoAccess", their_cpu),
        Figure(f"{what}, size (aim: {_AIM_KB:.0f} KB)", "KB", sizes[0], "GoAccess", sizes[1]),
    ]


def _write(lines: int, events: Path, access: Path) -> None:
    with events.open("wb") as as_events, access.open("w", encoding="utf-8") as as_access:
        for number, call in enumerate(_calls(lines)):
            as_events.write(_event(call, number))
            as_access.write(_combined(call))


def _calls(lines: int) -> Iterator[Call]:
    rng = Random(1)
    for number in range(lines):
        second = number * _DAY_S / lines
        method, endpoint = _ENDPOINTS[rng.randrange(len(_ENDPOINTS))]
        duration_ms = rng.lognormvariate(4.5, 0.4)
        status = 200
        if endpoint == _ENDPOINTS[0][1] and int(second) in _SLOW_S:
            duration_ms *= 30
            status = 503 if rng.random() < 0.05 else 200
        elif rng.random() < 0.005:
            status = rng.choice([404, 429, 500])
        at = _START + timedelta(seconds=second)
        yield Call(at, method, endpoint, status, duration_ms, rng.randrange(20_000))


def _event(call: Call, number: int) -> bytes:
    is_ok = call.status < 400
    event = {
        "timestamp": f"{call.at:%Y-%m-%dT%H:%M:%S}.{call.at.microsecond // 1000:03}Z",
        "level": "info" if is_ok else "warning",
        "service": "bot-worker",
        "event": "api_call" if is_ok else "api_call_failed",
        "correlation_id": f"{number:016x}",
        "endpoint": call.endpoint,
        "method": call.method,
        "status_code": call.status,
        "duration_ms": round(call.duration_ms, 2),
        "user_id": f"{call.user + 10**17}",
        "logger": "bot.api",
        "instance": "8f6642607ae6",
        "pid": 4711,
        "host": "worker-1",
        "version": "2.5.0",
        "seq": number + 1,
    }
    return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)


def _combined(call: Call) -> str:
    address = f"10.0.{call.user >> 8}.{call.user & 255}"
    request = f"{call.method} {call.endpoint} HTTP/1.1"
    time = f"{call.at:%d/%b/%Y:%H:%M:%S} +0000"
    return f'{address} - - [{time}] "{request}" {call.status} 512 "-" "bot/2.5.0"\n'


def _cpu(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
