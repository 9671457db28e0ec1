"""ResultSet -> JSON: one array of objects, or one object a line."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import IO, TYPE_CHECKING

import orjson

from logkit_analysis.renderers.escaping import UNSAFE
from logkit_analysis.renderers.values import plain, rfc3339

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

    from logkit_analysis.results import ResultSet

_MAX_INTEGER = (1 << 64) - 1
_MIN_INTEGER = -(1 << 63)
# Types whose values orjson writes as they should be, NaN as null: most cells of an export.
_AS_IS = frozenset({"VARCHAR", "BIGINT", "INTEGER", "DOUBLE", "BOOLEAN"})


def write_json(result: ResultSet, stream: IO[bytes]) -> None:
    """Write one array of objects, an object a line.

    Times are RFC 3339 in UTC, integers of any size keep their digits, JSON columns are nested as
    they are, and NaN is null.
    """
    separator = b"[\n"
    for line in _objects(result):
        stream.write(separator + line)
        separator = b",\n"
    stream.write(b"[]\n" if separator == b"[\n" else b"\n]\n")


def write_jsonl(result: ResultSet, stream: IO[bytes], *, has_nulls: bool = True) -> None:
    """Write one object a line, with values as in `write_json`.

    Args:
        result: The rows.
        stream: Where to.
        has_nulls: Whether an object holds the columns that are NULL in its row.
    """
    for line in _objects(result, has_nulls=has_nulls):
        stream.write(line + b"\n")


def write_object(fields: dict[str, object], stream: IO[bytes]) -> None:
    """Write one object, with values as in `write_json`, on a line of its own."""
    stream.write(_escape(orjson.dumps(_value(fields), default=str)) + b"\n")


def _objects(result: ResultSet, *, has_nulls: bool = True) -> Iterator[bytes]:
    names = _unique(result.column_names)
    special = [
        (name, _fragment if column.type == "JSON" else _value)
        for name, column in zip(names, result.columns, strict=True)
        if column.type not in _AS_IS
    ]
    for row in result.rows:
        fields = dict(zip(names, row, strict=True))
        for name, convert in special:
            fields[name] = convert(fields[name])
        if not has_nulls:
            fields = {name: value for name, value in fields.items() if value is not None}
        yield _escape(orjson.dumps(fields, default=str))


def _unique(names: list[str]) -> list[str]:
    """Return *names* with a number behind the repeated ones: an object holds a key once."""
    seen: dict[str, int] = {}
    unique: list[str] = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return unique


def _value(value: object) -> object:
    match plain(value):
        case datetime() as moment:
            return rfc3339(moment)
        case bool() as flag:
            return flag
        case int() as number if not _MIN_INTEGER <= number <= _MAX_INTEGER:
            return orjson.Fragment(str(number))
        case Decimal() as number:
            return orjson.Fragment(format(number, "f")) if number.is_finite() else None
        case list() | tuple() as values:
            return [_value(item) for item in values]
        case dict() as mapping:
            return {str(key): _value(item) for key, item in mapping.items()}
        case other:
            return other


def _fragment(value: object) -> object:
    """Return the text of a JSON column to be nested unread, or as a string if it is no JSON."""
    if not isinstance(value, str):
        return value
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
    # A line break in valid JSON lies between tokens, never inside a string.
    return orjson.Fragment(value.replace("\n", " ").replace("\r", " "))


def _escape(line: bytes) -> bytes:
    if line.isascii() and b"\x7f" not in line:
        return line
    return UNSAFE.sub(_unicode_escape, line.decode("utf-8", "replace")).encode()


def _unicode_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
