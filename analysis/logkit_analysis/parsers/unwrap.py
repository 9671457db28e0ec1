"""Lines that wrap the event in another object, lifted to flat keys.

Each function takes a parsed line and returns a new flat one; what it does not know stays.
"""

from __future__ import annotations

from typing import Any

import orjson

_ECS_ROOTS = frozenset(
    "error event host http log parent process service span trace transaction url user".split()  # noqa: SIM905
)
_LOGURU_NESTED = (
    ("exception", "type", "error_type"),
    ("exception", "value", "error_message"),
    ("level", "name", "level"),
    ("process", "id", "pid"),
    ("time", "repr", "timestamp"),
)


def unwrap_docker(line: dict[str, Any]) -> dict[str, Any]:
    """Return the event inside docker's ``{"log": ..., "stream": ..., "time": ...}``.

    A log text that is no JSON object becomes the message. Docker's own time counts only where
    the event has none of its own.
    """
    rest = {key: value for key, value in line.items() if key not in ("log", "time")}
    text = line["log"]
    inner = _json_object(text)
    if inner is None:
        message = text.rstrip("\r\n") if isinstance(text, str) else text
        return {"message": message, "timestamp": line["time"], **rest}
    if not inner.keys() & {"timestamp", "@timestamp", "time", "ts", "asctime", "record"}:
        inner["timestamp"] = line["time"]
    return {**rest, **inner}


def _json_object(text: object) -> dict[str, Any] | None:
    if not isinstance(text, str) or not text.startswith("{"):
        return None
    try:
        inner = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return inner if isinstance(inner, dict) else None


def unwrap_loguru(line: dict[str, Any]) -> dict[str, Any]:
    """Return loguru's ``record`` as one flat event with its ``extra`` beside it at the top.

    An extra that shares its name with a key of the record stays inside ``extra``. What loguru
    derives from a level or a process (icon, number, process name) is left out.
    """
    record = line["record"]
    if not isinstance(record, dict):
        return line
    flat = {"text": line["text"], **record}
    flat["extra"] = extra = dict(_object(record, "extra"))
    for key, inner, name in _LOGURU_NESTED:
        if isinstance(nested := record.get(key), dict) and inner in nested:
            flat.pop(key, None)
            flat[name] = nested[inner]
    if "name" in flat:
        flat["logger"] = flat.pop("name")
    for key in extra.keys() - flat.keys():
        flat[key] = extra.pop(key)
    if not extra:
        del flat["extra"]
    return {key: value for key, value in flat.items() if value is not None}


def unwrap_node(line: dict[str, Any]) -> dict[str, Any]:
    """Return a pino or bunyan line with ``err``, ``req`` and ``res`` lifted to dotted keys."""
    return _flatten(line, frozenset(("err", "req", "res")))


def unwrap_ecs(line: dict[str, Any]) -> dict[str, Any]:
    """Return an ECS line with its nested objects as the dotted keys that they stand for."""
    return _flatten(line, _ECS_ROOTS)


def _flatten(line: dict[str, Any], roots: frozenset[str]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in line.items():
        if key in roots and isinstance(value, dict):
            _flatten_into(flat, key, value)
        else:
            flat[key] = value
    return flat


def _flatten_into(flat: dict[str, Any], prefix: str, nested: dict[str, Any]) -> None:
    for key, value in nested.items():
        name = f"{prefix}.{key}"
        if isinstance(value, dict) and value:
            _flatten_into(flat, name, value)
        else:
            flat[name] = value


def _object(record: dict[str, Any], key: str) -> dict[str, Any]:
    value = record.get(key)
    return value if isinstance(value, dict) else {}
