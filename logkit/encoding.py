"""Any Python values -> JSON bytes. Never raises on a value, never writes NaN."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date, datetime, time
from enum import Enum
from typing import Any
from uuid import UUID

import orjson

OPTIONS = orjson.OPT_UTC_Z
_MAX_DEPTH = 32
_INT64_MIN, _UINT64_MAX = -(2**63), 2**64 - 1
_NATIVE = (bool, float, datetime, date, time, UUID, type(None))


def encode(fields: dict[str, Any]) -> bytes:
    """Return *fields* as one JSON object.

    What JSON cannot say is written as the nearest thing: NaN and infinity as null, bytes and
    objects as text, sets as arrays, integers beyond 64 bits and keys as strings, a lone surrogate
    as its escape, what refers to itself or lies deeper than 32 levels as a short note.
    """
    try:
        return orjson.dumps(fields, to_native, OPTIONS)
    except (TypeError, ValueError, RecursionError):
        return orjson.dumps(_plain(fields, ()), None, OPTIONS)


def text_of(value: object) -> str:
    """Return ``str(value)``, or a note when the value cannot be printed."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - a value's own __str__; its failure must not cost the event
        return f"<unprintable {type(value).__name__}>"


def utf8_text(text: str) -> str:
    """Return *text* with lone surrogates as backslash escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def to_native(value: Any) -> Any:
    """Return what orjson is to write for a *value* that it does not know."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "backslashreplace")
    if isinstance(value, set | frozenset):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {text_of(value)}"
    if isinstance(value, type):
        return value.__qualname__
    if hasattr(value, "tolist"):  # numpy scalars and arrays
        return value.tolist()
    return utf8_text(text_of(value))


def _plain(value: Any, parents: tuple[int, ...]) -> Any:
    """Return *value* as something that orjson always takes."""
    if isinstance(value, str):
        return utf8_text(value)
    if isinstance(value, _NATIVE):
        return value
    if isinstance(value, int):
        return int(value) if _INT64_MIN <= value <= _UINT64_MAX else _digits(value)
    if id(value) in parents:
        return f"<cycle of {type(value).__name__}>"
    if len(parents) >= _MAX_DEPTH:
        return f"<{type(value).__name__} deeper than {_MAX_DEPTH} levels>"
    return _plain_container(value, (*parents, id(value)))


def _digits(value: int) -> str:
    try:
        return int.__repr__(value)
    except ValueError:  # longer than sys.get_int_max_str_digits()
        return hex(value)


def _plain_container(value: Any, parents: tuple[int, ...]) -> Any:
    try:
        if isinstance(value, Enum):
            return _plain(value.value, parents)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            value = {f.name: getattr(value, f.name, None) for f in dataclasses.fields(value)}
        if isinstance(value, Mapping):
            return _plain_mapping(value, parents)
        if isinstance(value, list | tuple | set | frozenset):
            return [_plain(item, parents) for item in list(value)]
        return _plain(to_native(value), parents)
    except Exception:  # noqa: BLE001 - a container of the bot's own that fails while being read
        return f"<unreadable {type(value).__name__}>"


def _plain_mapping(value: Mapping[Any, Any], parents: tuple[int, ...]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key, item in list(value.items()):
        name = utf8_text(key if isinstance(key, str) else text_of(key))
        while name in members:
            name += "_"
        members[name] = _plain(item, parents)
    return members
