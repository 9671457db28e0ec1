"""One answer in plain form: whatever a library hands over becomes text, numbers and dicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import orjson

from logkit.headers import header_text, plain_headers
from logkit.rate_limits.quantities import instant_ms, moment, number

_MAX_BODY_BYTES = 1_048_576
_MAX_TEXT = 4_096
_MAX_HOST = 1_024
_MAPPINGS = (dict, Mapping)  # dict first: asking an abstract class is slow


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, or an error of a protocol that looks like one.

    Attributes:
        host: Host name in lower case, without port; empty if it is not known.
        status: HTTP status, 0 if it is not known.
        headers: Values by name in lower case; a name that came more than once has several.
        body: The parsed body, or ``None``.
        text: A body that is no JSON, at most 4,096 characters.
        received_ms: When the answer came, in milliseconds since 1970.
    """

    host: str
    status: int
    headers: Mapping[str, tuple[str, ...]]
    body: Any
    text: str
    received_ms: Fraction

    def header(self, name: str) -> str:
        """Return a header's values, joined as HTTP joins them, or an empty text."""
        return ", ".join(self.headers.get(name, ()))

    def at(self, *path: str | int) -> Any:
        """Return what lies at *path* in the body, or ``None``."""
        return dig(self.body, *path)

    @property
    def sent_ms(self) -> Fraction:
        """What the server's clock said, if it sent a date; otherwise when the answer came."""
        sent = instant_ms(self.header("date"))
        return self.received_ms if sent is None else sent


def answer_of(
    host: object, status: object, headers: object, body: object, received_at: object
) -> Answer:
    """Return the plain form of one answer."""
    parsed, text = _body(body)
    code = number(status)
    return Answer(
        host=_host(host),
        status=int(code) if code is not None and 0 <= code <= 999 else 0,
        headers=plain_headers(headers),
        body=parsed,
        text=text,
        received_ms=_received_ms(received_at),
    )


def dig(value: Any, *path: str | int) -> Any:
    """Return what lies at *path* in nested dicts and lists, or ``None``."""
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, _MAPPINGS) else None
        else:
            value = value[step] if isinstance(value, list) and len(value) > step else None
    return value


def _host(value: object) -> str:
    text = header_text(value) if isinstance(value, str | bytes) else str(value or "")
    text = (text or "").strip().lower()[:_MAX_HOST]
    authority = text.rpartition("://")[2].partition("/")[0].rpartition("@")[2]
    name = authority if authority.startswith("[") else authority.partition(":")[0]
    return name.rstrip(".")


def _body(value: object) -> tuple[Any, str]:
    if isinstance(value, bytes | bytearray | memoryview):
        raw = bytes(value[:_MAX_BODY_BYTES])
    elif isinstance(value, str):
        raw = value[:_MAX_BODY_BYTES].encode("utf-8", "replace")
    else:
        return value, ""
    raw = raw.removeprefix(b"\xef\xbb\xbf").strip()
    try:
        parsed = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None, raw[:_MAX_TEXT].decode("utf-8", "replace")
    return (None, parsed[:_MAX_TEXT]) if isinstance(parsed, str) else (parsed, "")


def _received_ms(value: object) -> Fraction:
    if isinstance(value, str):
        found = instant_ms(value)
    elif isinstance(value, datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        found = instant_ms(aware.astimezone(UTC).isoformat())
    else:
        seconds = number(value)
        found = None if seconds is None else seconds * 1_000
    if found is None or moment(found) is None:
        now = datetime.now(UTC)
        found = Fraction(int(now.timestamp() * 1_000))
    return found
