"""What container runtimes and system logs put before (or around) each line of a program.

A transport gives the program's own line and what the prefix says about it. Kubernetes' CRI,
``docker logs``, ``docker compose logs``, ``kubectl logs`` and docker's json-file driver cut or
mark lines by stream, pm2 by process; syslog (RFC 3164, RFC 5424, the ISO form of rsyslog and
``journalctl -o short-iso``) by program; ``journalctl -o json`` has both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from logkit_analysis.parsers.cloud import (
    JOURNALD_MARK,
    SYSLOG_LEVELS,
    journald_message,
    unwrap_journald,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_FACILITY_BITS = 3
_MOST_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Envelope:
    """A program's line without what was put around it.

    Attributes:
        text: The line as the program wrote it.
        channel: Lines of one channel follow each other; those of others come in between.
        fields: What the prefix says, by field name.
        is_partial: Whether the rest of the line comes with the channel's next.
    """

    text: bytes
    channel: object
    fields: dict[str, Any] = field(default_factory=dict)
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class Transport:
    """A way in which lines come.

    Attributes:
        name: What people call it, and what the store remembers before the colon.
        prefix: Put before a field of the envelope that the event inside has too.
        unpack: Takes a line; ``None`` or a failure to decode if it did not come this way.
        samples: Lines that did.
    """

    name: str
    prefix: str
    unpack: Callable[[bytes], Envelope | None]
    samples: tuple[bytes, ...]

    def open(self, line: bytes) -> Envelope | None:
        """Return what is inside *line*, ``None`` if it did not come this way."""
        try:
            return self.unpack(line)
        except UnicodeDecodeError:
            return None


_RFC3339 = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)"
_CRI = re.compile(rb"(" + _RFC3339 + rb") (stdout|stderr) ([FP]) (.*)", re.DOTALL)
_DOCKER = re.compile(
    rb"(?:\[pod/([^/\]]+)/([^\]]+)\] |([\w.\-]+) *\| )?"
    rb"(?:(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) )?(.*)",
    re.DOTALL,
)
_SYSLOG = re.compile(
    rb"(?:<(\d{1,3})>)?((?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d"
    rb"(?:\.\d{1,6})?|" + _RFC3339 + rb") (\S+) ([A-Za-z_/(][^\s:\[\]]*)(?:\[(\d+)\])?: ?(.*)",
    re.DOTALL,
)
_SYSLOG_5424 = re.compile(
    rb"<(\d{1,3})>\d (" + _RFC3339 + rb"|-) (\S+) (\S+) (\S+) (\S+) "
    rb"(-|(?:\[[^\s\]]+(?: [^\s=\]\"]+=\"(?:[^\"\\\]]|\\.)*\")*\])+)(?: (?:\xef\xbb\xbf)?(.*))?",
    re.DOTALL,
)
_PM2 = re.compile(
    rb"(?:(\d{1,6})\|([^\s|]+) *\| )?"
    rb"(?:(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d))?): )?(.*)",
    re.DOTALL,
)
_PARAMETER = re.compile(r"([^\s=\]\"\[]+)=\"((?:[^\"\\\]]|\\.)*)\"")


def _open_cri(line: bytes) -> Envelope | None:
    found = _CRI.fullmatch(line)
    if found is None:
        return None
    time, stream, tag, text = found.groups()
    fields = {"timestamp": time.decode(), "stream": stream.decode()}
    return Envelope(text, stream, fields, tag == b"P")


def _open_docker(line: bytes) -> Envelope | None:
    found = _DOCKER.fullmatch(line)
    if found is None or found.start(5) == 0:
        return None
    pod, container, service, time, text = found.groups()
    named = {"pod": pod, "container": container or service, "timestamp": time}
    fields = {name: _text(value) for name, value in named.items() if value}
    return Envelope(text, (pod, container, service), fields)


def _open_syslog(line: bytes) -> Envelope | None:
    found = _SYSLOG.fullmatch(line)
    if found is None:
        return None
    priority, time, host, program, pid, text = found.groups()
    fields: dict[str, Any] = {"timestamp": time.decode(), "host": _text(host)}
    fields["service"] = _text(program)
    if pid:
        fields["pid"] = _number(_text(pid))
    return Envelope(text, (host, program, pid), fields | _severity(priority))


def _open_syslog_5424(line: bytes) -> Envelope | None:
    found = _SYSLOG_5424.fullmatch(line)
    if found is None:
        return None
    priority, time, host, program, pid, message_id, data, text = found.groups()
    named = {"timestamp": time, "host": host, "service": program, "pid": pid}
    named["message_id"] = message_id
    fields: dict[str, Any] = {k: _text(v) for k, v in named.items() if v != b"-"}
    if "pid" in fields:
        fields["pid"] = _number(fields["pid"])
    parameters = dict(_PARAMETER.findall(_text(data)))
    if parameters:
        fields["structured_data"] = parameters
    return Envelope(text or b"", (host, program, pid), fields | _severity(priority))


def _open_pm2(line: bytes) -> Envelope | None:
    found = _PM2.fullmatch(line)
    if found is None or found.start(4) == 0:
        return None
    number, service, time, text = found.groups()
    named = {"pm_id": number, "service": service, "timestamp": time}
    fields = {name: _text(value) for name, value in named.items() if value}
    return Envelope(text, (number, service), fields)


def _number(text: str) -> int | str:
    """Return the number that *text* is; more digits than any has stay as they are."""
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else text


def _severity(priority: bytes | None) -> dict[str, str]:
    if priority is None:
        return {}
    return {"level": SYSLOG_LEVELS[int(priority) & ((1 << _FACILITY_BITS) - 1)]}


def _open_docker_json(line: bytes) -> Envelope | None:
    record = _object(line)
    if record is None or not isinstance(record.get("log"), str) or "stream" not in record:
        return None
    text: str = record.pop("log")
    record["timestamp"] = record.pop("time", None)
    # A line over 16 KiB comes in parts, of which only the last ends with a newline.
    is_partial = not text.endswith("\n")
    return Envelope(_bytes(text.removesuffix("\n")), str(record["stream"]), record, is_partial)


def _open_journald(line: bytes) -> Envelope | None:
    record = _object(line)
    if record is None or JOURNALD_MARK not in record:
        return None
    message = journald_message(record.pop("MESSAGE", None))
    channel = [str(record.get(key)) for key in ("_HOSTNAME", "_PID", "SYSLOG_IDENTIFIER")]
    return Envelope(message or b"", tuple(channel), unwrap_journald(record))


def _object(line: bytes) -> dict[str, Any] | None:
    if not line.startswith(b"{"):
        return None
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _text(value: bytes) -> str:
    return value.decode()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


TRANSPORTS: tuple[Transport, ...] = (
    Transport("cri", "cri", _open_cri, (b"2026-03-19T10:00:00.123456789Z stderr F ready",)),
    Transport(
        "docker-json",
        "docker",
        _open_docker_json,
        (b'{"log":"ready\\n","stream":"stdout","time":"2026-03-19T10:00:00.1Z"}',),
    ),
    Transport(
        "journald",
        "journald",
        _open_journald,
        (b'{"MESSAGE":"ready","PRIORITY":"6","__REALTIME_TIMESTAMP":"1773914400000000"}',),
    ),
    Transport(
        "syslog-5424",
        "syslog",
        _open_syslog_5424,
        (b"<165>1 2026-03-19T10:00:00.123Z host bot 7 - - ready",),
    ),
    Transport(
        "syslog",
        "syslog",
        _open_syslog,
        (
            b"Mar 19 10:00:00 host bot[7]: ready",
            b"<30>Mar  9 10:00:00 host bot: ready",
            b"2026-03-19T10:00:00.123456+00:00 host bot[7]: ready",
        ),
    ),
    Transport(
        "docker",
        "docker",
        _open_docker,
        (
            b"2026-03-19T10:00:00.123456789Z ready",
            b"bot-1  | ready",
            b"[pod/bot-7d4/bot] ready",
        ),
    ),
    Transport(
        "pm2",
        "pm2",
        _open_pm2,
        (b"0|bot      | ready", b"0|bot  | 2026-03-19T10:00:00: ready"),
    ),
)

TRANSPORTS_BY_NAME: dict[str, Transport] = {known.name: known for known in TRANSPORTS}
