"""Event dict -> one line of bytes. The time and the event's number are arguments."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from orjson import dumps

from logkit.encoding import encode, utf8_text
from logkit.levels import STDLIB_NUMBERS
from logkit.plain import FLAT_TYPES
from logkit.schema import MAX_LINE_BYTES
from logkit.truncation import fit

if TYPE_CHECKING:
    from logkit.counters import Counters
    from logkit.identity import Identity
    from logkit.processors import EventDict

_are_flat = FLAT_TYPES.issuperset
_MAX_CACHED_EVENTS = 2_048
_MAX_CACHED_LOGGERS = 1_024
_MAX_LABEL = 256
_COLOURS = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "1;31"}
# Second, microseconds, level to event, fields, logger to host, seq.
_LINE = b"%b%06d%b%b%b%d}\n"


class Renderer(Protocol):
    """What turns an event dict into a line."""

    def render(
        self, event: str, fields: EventDict, level: str, logger: str, time_ns: int, seq: int
    ) -> bytes:
        """Return the line with its newline.

        Args:
            event: Name of the event.
            fields: Message and fields of the event; no names of the envelope.
            level: Level name.
            logger: Name of the logger; an empty one is left out.
            time_ns: Nanoseconds since 1970.
            seq: Number of the event in this instance.
        """


class JsonRenderer:
    """One JSON object a line: timestamp, level, service, event, fields, rest of the envelope.

    The envelope does not pass through the JSON encoder with each event: its parts are rendered
    once per second, level and logger and joined to the fields as bytes.

    Args:
        identity: Who writes.
        counters: Where lines that had to be cut are counted.
    """

    def __init__(self, identity: Identity, counters: Counters) -> None:
        self._identity = identity
        self._counters = counters
        self._static = {
            name: value[:_MAX_LABEL]
            for name, value in (("env", identity.env), ("version", identity.version))
            if value is not None
        }
        service = _members({"service": identity.service[:_MAX_LABEL]})
        self._heads: dict[str, dict[str, bytes]] = {level: {} for level in STDLIB_NUMBERS}
        self._levels = {
            level: b'Z","level":"%s",%s,' % (level.encode(), service) for level in STDLIB_NUMBERS
        }
        self._tails: dict[str, bytes] = {}
        self._second: tuple[int, bytes] = (0, b"")

    def render(
        self, event: str, fields: EventDict, level: str, logger: str, time_ns: int, seq: int
    ) -> bytes:
        """Return the event as a line of JSON of at most 65,536 bytes."""
        start_ns, second = self._second
        elapsed_ns = time_ns - start_ns
        if not 0 <= elapsed_ns < 1_000_000_000:
            start_ns, second = self._start_second(time_ns)
            elapsed_ns = time_ns - start_ns
        try:
            head = self._heads[level][event]
            tail = self._tails[logger]
        except KeyError:
            head, tail = self._remember_head(level, event), self._remember_tail(logger)
        try:
            # Most events hold text and numbers alone, and need no closer look.
            body = dumps(fields) if _are_flat(map(type, fields.values())) else encode(fields)
        except (TypeError, ValueError):
            body = encode(fields)
        if not fields:
            head = head[:-1]
        elif self._static and ("env" in fields or "version" in fields):
            tail = self._tail(logger, {k: v for k, v in self._static.items() if k not in fields})
        line = _LINE % (second, elapsed_ns // 1_000, head, body[1:-1], tail, seq)
        if len(line) <= MAX_LINE_BYTES:
            return line
        self._counters.truncated += 1
        body = fit(fields, len(line), MAX_LINE_BYTES - len(line) + len(body))
        return _LINE % (second, elapsed_ns // 1_000, head, body[1:-1], tail, seq)

    def _start_second(self, time_ns: int) -> tuple[int, bytes]:
        second = time_ns // 1_000_000_000
        text = time.strftime('{"timestamp":"%Y-%m-%dT%H:%M:%S.', time.gmtime(second))
        self._second = second * 1_000_000_000, text.encode()
        return self._second

    def _remember_head(self, level: str, event: str) -> bytes:
        heads = self._heads[level]
        if len(heads) >= _MAX_CACHED_EVENTS:
            heads.clear()
        name = _members({"event": event[:_MAX_LABEL]})
        head = b"%s%s," % (self._levels[level], name)
        if len(event) <= _MAX_LABEL:
            heads[event] = head
        return head

    def _remember_tail(self, logger: str) -> bytes:
        if len(self._tails) >= _MAX_CACHED_LOGGERS:
            self._tails.clear()
        tail = self._tail(logger, self._static)
        if len(logger) <= _MAX_LABEL:
            self._tails[logger] = tail
        return tail

    def _tail(self, logger: str, static: dict[str, str]) -> bytes:
        labels: dict[str, Any] = {"logger": logger[:_MAX_LABEL]} if logger else {}
        labels["instance"] = self._identity.instance
        labels["pid"] = self._identity.pid
        labels["host"] = self._identity.host[:_MAX_LABEL]
        return b',%s,"seq":' % _members({**labels, **static})


class ConsoleRenderer:
    """One readable line for a terminal: time, level, event, message, fields; then the stack."""

    def __init__(self, *, has_colours: bool) -> None:
        self._has_colours = has_colours

    def render(
        self,
        event: str,
        fields: EventDict,
        level: str,
        logger: str,
        time_ns: int,
        seq: int,  # noqa: ARG002 - part of the protocol; people do not read it
    ) -> bytes:
        """Return the event as text; control characters inside values are escaped."""
        rest = dict(fields)
        message = rest.pop("message", None)
        stack = [rest.pop(name) for name in ("error_stack", "stack") if name in rest]
        seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
        clock = time.strftime("%H:%M:%S", time.localtime(seconds))
        words = [
            f"{clock}.{nanoseconds // 1_000_000:03d}",
            self._paint(_COLOURS[level], f"{level:<8}"),
            self._paint("1", _printable(event)),
        ]
        if message is not None:
            words.append(_printable(message))
        words += [f"{_printable(key)}={self._value(value)}" for key, value in rest.items()]
        words.append(self._paint("2", f"[{_printable(logger or 'log')}]"))
        lines = [" ".join(words)]
        lines += [f"    {_printable(frame)}" for text in stack for frame in str(text).splitlines()]
        return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._has_colours else text

    def _value(self, value: Any) -> str:
        if isinstance(value, str) and value and not any(c.isspace() or c == '"' for c in value):
            return self._paint("36", _printable(value))
        return self._paint("36", _printable(encode({"": value})[4:-1].decode()))


def _members(labels: dict[str, Any]) -> bytes:
    clean = {k: utf8_text(v) if isinstance(v, str) else v for k, v in labels.items()}
    return dumps(clean)[1:-1]


def _printable(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
