"""JSON values as column values; ``None`` where the column would change the value.

A converter accepts what is unambiguous ("429" is 429, 12 is "12" for an id) and refuses the rest
(429.5, "abc", NaN), which then stays in ``fields`` as it was.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from logkit.schema import FIELDS

Converter = Callable[[object], object | None]

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*(ns|us|µs|μs|ms|s|m|h)(?![a-z])")
_LONGEST_DURATION = 40
_MS_PER_UNIT = {
    "ns": 1e-6,
    "us": 1e-3,
    "µs": 1e-3,
    "μs": 1e-3,
    "ms": 1.0,
    "s": 1e3,
    "m": 6e4,
    "h": 3.6e6,
}
_EXACT_FLOAT = 2**53


def as_text(value: object) -> str | None:
    """Return text as it is, and a whole number as its digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def as_integer(bits: int) -> Converter:
    """Return the converter to a signed integer of *bits*."""
    limit = 1 << (bits - 1)

    def convert(value: object) -> int | None:
        if isinstance(value, str):
            value = _integer_in(value)
            if value is None:
                return None
        elif isinstance(value, bool) or not isinstance(value, int | float):
            return None
        elif isinstance(value, float):
            if not value.is_integer() or abs(value) > _EXACT_FLOAT:
                return None
            value = int(value)
        return value if -limit <= value < limit else None

    return convert


def _integer_in(text: str) -> int | None:
    text = text.strip()
    return int(text) if _INTEGER.fullmatch(text) else None


def as_double(value: object) -> float | None:
    """Return a finite number that a double holds; a whole number only if it is held exactly."""
    if isinstance(value, str):
        return _double_in(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and abs(value) > _EXACT_FLOAT:
        return None
    return float(value) if math.isfinite(value) else None


def _double_in(text: str) -> float | None:
    number = float(text) if _FLOAT.fullmatch(text) else math.inf
    return number if abs(number) < _EXACT_FLOAT else None


def milliseconds_from(unit: str) -> Converter:
    """Return the converter of a number in *unit* (ns, us, ms, s) to milliseconds."""
    factor = _MS_PER_UNIT[unit]

    def convert(value: object) -> float | None:
        number = as_double(value)
        return None if number is None else _scaled(number, factor)

    return convert


def whole_milliseconds_from_seconds(value: object) -> int | None:
    """Return seconds, also fractional, as whole milliseconds, rounded up."""
    number = as_double(value)
    scaled = None if number is None else _scaled(number, 1e3)
    return None if scaled is None or abs(scaled) > _EXACT_FLOAT else math.ceil(scaled)


def _scaled(number: float, factor: float) -> float | None:
    # 0.31 s times 1000 is 310.00000000000006 in binary; 15 digits are what a double keeps.
    scaled = float(f"{number * factor:.15g}")
    return scaled if math.isfinite(scaled) else None


def milliseconds_from_text(value: object) -> float | None:
    """Return a duration that names its unit ("12ms", "1.5s", Go's "1m2.5s") in milliseconds."""
    if not isinstance(value, str) or len(value) > _LONGEST_DURATION:
        return None
    text = value.strip()
    parts = list(_DURATION.finditer(text))
    if not parts or "".join(part[0] for part in parts) != text:
        return None
    total = math.fsum(float(part[1]) * _MS_PER_UNIT[part[2]] for part in parts)
    return _scaled(total, 1.0)


_BY_COLUMN_TYPE: dict[str, Converter] = {
    "VARCHAR": as_text,
    "BIGINT": as_integer(64),
    "INTEGER": as_integer(32),
    "DOUBLE": as_double,
}
COLUMN_CONVERTERS: dict[str, Converter] = {
    field.name: _BY_COLUMN_TYPE[field.duckdb]
    for field in FIELDS
    if field.name not in ("timestamp", "level")
}
"""How a value under a declared key becomes its column; time and level depend on the dialect."""
