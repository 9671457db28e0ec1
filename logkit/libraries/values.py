"""Values of log records -> values of fields: one unit, no ids in endpoints."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from logkit.endpoints import endpoint_of


def read(value: Any, how: str) -> Any:
    """Return *value* as a field holds it.

    Args:
        value: What the library logged.
        how: ``s`` and ``us`` for seconds and microseconds, ``url``, ``path`` and ``line``
            (the first of an HTTP request) for what contains an endpoint, ``verb`` for the method
            in such a line, ``int`` for a number in text, empty for anything else.

    Raises:
        ValueError, TypeError: It is not of that kind.
    """
    if how == "s":
        return round(float(value) * 1_000, 3)
    if how == "us":
        return round(float(value) / 1_000, 3)
    if how == "int":
        return int(str(value).split(maxsplit=1)[0])
    if how == "url":
        url = urlsplit(str(value))
        return endpoint_of(url.hostname or "", url.path)
    if how == "line":
        return endpoint_of("", urlsplit(str(value).split(" ", 2)[1]).path)
    if how == "verb":
        return str(value).split(" ", 1)[0]
    if how == "path":
        return endpoint_of("", str(value))
    return value if isinstance(value, str | int | float | bool | None) else str(value)
