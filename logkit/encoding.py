"""Any Python values -> JSON bytes. Never raises on a value, never writes NaN."""

from __future__ import annotations

from typing import Any

from orjson import dumps

from logkit.plain import Copier, attribute_of, is_flat, is_tame, text_of, utf8_text

__all__ = ["attribute_of", "encode", "text_of", "utf8_text"]


def encode(fields: dict[str, Any]) -> bytes:
    """Return *fields* as one JSON object.

    What JSON cannot say is written as the nearest thing: NaN and infinity as null, bytes and
    objects as text, times as RFC 3339, sets as arrays, integers beyond 64 bits and keys as strings,
    a lone surrogate as its escape. What refers to itself or lies deeper than 32 levels gives way to
    a short note; more than 32,768 items, which cannot fit into a line, are not all looked at.
    """
    # orjson gets to see nothing but what it copes with: it crashes the process on deep tuples, on
    # times whose tzinfo raises, and where a value's own code changes what is being written.
    try:
        if is_tame(fields):
            return dumps(fields)
        copier = Copier()
        return dumps({k: v if is_flat(v) else copier.copy(v) for k, v in fields.items()})
    except (TypeError, ValueError, RuntimeError):
        return dumps(Copier().copy(fields))
