"""Headers of any library -> plain text by lower-case name."""

from __future__ import annotations

from collections.abc import Iterable

_MAX_VALUE = 8_192


def plain_headers(headers: object) -> dict[str, tuple[str, ...]]:
    """Return headers by lower-case name; a name that came more than once has several values.

    Takes mappings of text, bytes, numbers or lists of them, and pairs. Values are stripped and
    cut to 8,192 characters; what is neither text nor a number is left out.
    """
    if hasattr(headers, "multi_items"):  # httpx joins repeated headers in items()
        headers = headers.multi_items()
    elif hasattr(headers, "items"):
        headers = headers.items()
    plain: dict[str, tuple[str, ...]] = {}
    for name, value in headers if isinstance(headers, Iterable) else ():
        key = (header_text(name) or "").strip().lower()
        values = value if isinstance(value, list | tuple) else (value,)
        texts = tuple(t.strip()[:_MAX_VALUE] for t in map(header_text, values) if t is not None)
        plain[key] = plain.get(key, ()) + texts
    return plain


def header_text(value: object) -> str | None:
    """Return a header's name or value as text, or ``None`` if it is of another kind."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray):
        return bytes(value[:_MAX_VALUE]).decode("latin-1")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return repr(value) if isinstance(value, float) or value.bit_length() <= 256 else None
