"""Event dicts that are too long for one line, cut to valid JSON."""

from __future__ import annotations

from itertools import islice
from typing import Any

from orjson import loads

from logkit.encoding import encode
from logkit.redaction import redact_text
from logkit.schema import FIELDS_BY_NAME, MAX_LINE_BYTES

_VALUE_LIMITS = (49_152, 16_384, 4_096, 1_024, 256)
_MAX_SECRET = 8_192
_MAX_FIELDS = MAX_LINE_BYTES // len('"a":1,')


def fit(fields: dict[str, Any], original_bytes: int, max_bytes: int) -> bytes:
    """Return as much of *fields* as fits into a JSON object of *max_bytes*.

    Long values are cut first (text keeps its beginning, a container becomes the beginning of its
    JSON text); if there are still too many fields, declared ones stay before others.
    ``truncated_from`` holds *original_bytes*. A secret through which a cut goes is redacted.
    """
    whole = cut = {**_few(fields), "truncated_from": original_bytes}
    for limit in _VALUE_LIMITS:
        cut = {name: _cut(value, limit) for name, value in cut.items()}
        if len(encode(cut)) <= max_bytes:
            break
    # The writer does not know half a secret. Redaction never makes JSON longer.
    cut |= {name: _cut_clean(whole[name], limit) for name in cut if cut[name] is not whole[name]}
    body = encode(cut)
    return body if len(body) <= max_bytes else encode(_first_fields(cut, max_bytes))


def _few(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the declared ones of *fields*, and no more of the others than can ever fit."""
    if len(fields) <= _MAX_FIELDS:
        return fields
    declared = {name: fields[name] for name in fields.keys() & FIELDS_BY_NAME.keys()}
    return declared | dict(islice(fields.items(), _MAX_FIELDS))


def _cut(value: Any, limit: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = _text(value)
    return value if len(text) <= limit else f"{text[:limit]}…"


def _cut_clean(value: Any, limit: int) -> str:
    return f"{redact_text(_text(value)[: limit + _MAX_SECRET])[:limit]}…"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    text = encode({"": value})[4:-1].decode()
    return str(loads(text)) if text.startswith('"') else text


def _first_fields(fields: dict[str, Any], max_bytes: int) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    room = max_bytes - 2
    for name in sorted(
        fields, key=lambda name: name not in FIELDS_BY_NAME and name != "truncated_from"
    ):
        size = len(encode({name: fields[name]})) - 1
        if size <= room:
            kept[name] = fields[name]
            room -= size
    return kept
