"""``key=value`` pairs as a mapping of text."""

from __future__ import annotations

import re

_PAIR = re.compile(
    r" *+([A-Za-z_@][\w.@\-]*+)(?:=(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^ \"]*+))?"
)
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}
_PADDING_START = re.compile(r" [A-Za-z_][\w.\-]*=")
_LOGGER = re.compile(r"(?P<message>.*?\S) ++\[(?P<logger>[\w.\-]+)\] *+")


def read_pairs(text: str) -> dict[str, object] | None:
    """Return the pairs that *text* holds, ``None`` if it holds anything else or a key twice.

    A key alone is true, as in Go's logfmt.
    """
    pairs: dict[str, object] = {}
    position, end = 0, len(text.rstrip(" "))
    while position < end:
        found = _PAIR.match(text, position)
        if found is None or found[1] in pairs or text[found.end() : found.end() + 1].strip(" "):
            return None
        value = found[2]
        pairs[found[1]] = True if value is None else _unquoted(value)
        position = found.end()
    return pairs


def _unquoted(value: str) -> str:
    if value[:1] not in ('"', "'"):
        return value
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), value[1:-1])


def read_console_line(text: str) -> dict[str, object]:
    """Return what structlog's console renderer wrote behind the level.

    That is the event, padded, then the logger in brackets and the pairs, each only if there.
    """
    start = _PADDING_START.search(text)
    pairs = read_pairs(text[start.start() :]) if start else None
    event = text[: start.start()] if start and pairs is not None else text
    found = _LOGGER.fullmatch(event)
    head = found.groupdict() if found else {"message": event.rstrip(" ")}
    return {**(pairs or {}), **head}
