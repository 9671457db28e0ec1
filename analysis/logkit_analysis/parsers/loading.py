"""The bytes of a line as a JSON value, exact where a fast parser refuses or rounds."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

import orjson

# More digits than 64 bits hold; orjson makes a rounded float of them.
_LONG_INTEGER = re.compile(rb"\d{20}|-\d{19}")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LONGEST_INTEGER = 4_000


@dataclass(frozen=True, slots=True)
class Reject:
    """Why a line is no event."""

    reason: str


def load_json(line: bytes) -> Any:
    """Return the JSON value of *line*, or a `Reject` where it is none.

    Integers of any length are exact. NaN, infinities and numbers beyond a double become text,
    and a lone surrogate, which UTF-8 cannot carry, the text of its escape.

    Raises:
        RecursionError: It is nested deeper than we can follow.
    """
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return _load_unusual(line)
    return _load_unusual(line) if _LONG_INTEGER.search(line) else value


def dump_json(value: Any) -> bytes:
    """Return *value* as compact JSON.

    Raises:
        RecursionError: It is nested deeper than we can follow.
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        # Integers over 64 bits and deep nesting, which the standard library can write.
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _load_unusual(line: bytes) -> Any:
    if not line.strip():
        return Reject("empty_line")
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Reject(f"invalid_utf8: {error.reason} at byte {error.start}")
    try:
        value = json.loads(text, parse_float=_number, parse_constant=str, parse_int=_integer)
    except json.JSONDecodeError as error:
        # Python ends some of its messages so that a place may follow.
        what = error.msg.removesuffix(" at")
        return Reject(f"invalid_json: {what} at character {error.pos}")
    return _without_surrogates(value) if _SURROGATE_ESCAPE.search(text) else value


def _number(text: str) -> float | str:
    """Return the double, or the text where a double would be infinite."""
    number = float(text)
    return number if math.isfinite(number) else text


def _integer(text: str) -> int | str:
    """Return the integer, or the text where it has more digits than Python converts."""
    return int(text) if len(text) <= _LONGEST_INTEGER else text


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(k): _without_surrogates(v) for k, v in value.items()}
    return value
