"""What one service logs: events and dirty lines in the order of time, as bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logkit_analysis.demo.timeline import Span


@dataclass(frozen=True, slots=True)
class Process:
    """One run of a service: everything from its start to its end is its own."""

    alive: Span
    instance: str
    pid: int
    version: str
    first_seq: int


@dataclass(frozen=True, slots=True)
class TapeLine:
    """One line as it is written.

    Attributes:
        raw: The bytes with their newline.
        dirt: Kind of dirt, or ``None`` for a clean event.
    """

    raw: bytes
    dirt: str | None = None


@dataclass(slots=True)
class Tape:
    """Collects what one service logs, in any order, and plays it back in the order of time."""

    service: str
    host: str
    processes: tuple[Process, ...]
    _records: list[tuple[int, int, dict[str, Any] | TapeLine]] = field(default_factory=list)

    def log(self, at: float, event: str, level: str = "info", **fields: Any) -> None:
        """Add an event that is written *at* milliseconds since 1970 (cut to whole ones)."""
        head = {"level": level, "service": self.service, "event": event}
        self._records.append((int(at), len(self._records), head | fields))

    def spill(self, at: float, raw: bytes, dirt: str) -> None:
        """Add the dirty bytes *raw*, which end in a newline, at a moment."""
        self._records.append((int(at), len(self._records), TapeLine(raw, dirt)))

    def is_running(self, at: float) -> bool:
        """Say whether a process of this service is alive *at* that moment."""
        return any(process.alive.holds(at) for process in self.processes)

    def lines(self) -> Iterator[TapeLine]:
        """Yield every line in the order of time; seq counts without holes per instance."""
        records = iter(sorted(self._records, key=lambda record: record[:2]))
        record = next(records, None)
        for process in self.processes:
            seq = process.first_seq
            while record is not None and record[0] <= process.alive.end:
                at, _, body = record
                if isinstance(body, dict):
                    body, seq = self._line(at, body, process, seq), seq + 1
                yield body
                record = next(records, None)

    def _line(self, at: int, body: dict[str, Any], process: Process, seq: int) -> TapeLine:
        envelope = {
            "timestamp": timestamp(at),
            **body,
            "instance": process.instance,
            "pid": process.pid,
            "host": self.host,
            "env": "prod",
            "version": process.version,
            "seq": seq,
        }
        return TapeLine(orjson.dumps(envelope, option=orjson.OPT_APPEND_NEWLINE))


def timestamp(at: int) -> str:
    """Return milliseconds since 1970 as RFC 3339 in UTC."""
    second, millisecond = divmod(at, 1_000)
    return f"{_second(second)}.{millisecond:03d}Z"


@lru_cache(maxsize=16)
def _second(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}"
