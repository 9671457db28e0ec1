"""Lines that keep parts of the event in nested objects, lifted to flat keys.

Each function takes a parsed line and returns a new flat one. What it does not know stays, and a
nested part whose flat names are taken already stays nested: no value replaces another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logkit_analysis.parsers.loading import load_json

if TYPE_CHECKING:
    from collections.abc import Iterator

TIME_KEYS = frozenset(("timestamp", "@timestamp", "time", "ts", "asctime", "datetime", "record"))
_NODE_ROOTS = ("err", "req", "res")
_ECS_ROOTS = (
    *("error", "event", "host", "http", "log", "parent", "process"),
    *("service", "span", "trace", "transaction", "url", "user"),
)
_DATADOG_ROOTS = ("error", "http", "logger")
_DEEPEST_LIFT = 8
SERVED = "request_handled"
"""The event of a line about a request that others made to us, where it names none."""
_LOGURU_ROOTS = ("exception", "level", "process", "time")
_LOGURU_NAMES = {
    "exception.type": "error_type",
    "exception.value": "error_message",
    "level.name": "level",
    "process.id": "pid",
    "time.repr": "timestamp",
}


def unwrap_docker(line: dict[str, Any]) -> dict[str, Any]:
    """Return the event inside docker's ``{"log": ..., "stream": ..., "time": ...}``.

    A log text that is no JSON object becomes the message. Docker's own time counts where the
    event has none of its own; else it is kept as ``docker.time``.
    """
    text: str = line["log"]
    inner = load_json(text.encode()) if text.startswith("{") else None
    event = inner if isinstance(inner, dict) else {"message": text.rstrip("\r\n")}
    if TIME_KEYS.isdisjoint(event):
        event["timestamp"] = line["time"]
    else:
        event[_free_name("docker.time", event)] = line["time"]
    for key, value in line.items():
        if key not in ("log", "time"):
            event[_free_name(key, event)] = value
    return event


def _free_name(key: str, event: dict[str, Any]) -> str:
    while key in event:
        key = f"docker.{key}"
    return key


def unwrap_loguru(line: dict[str, Any]) -> dict[str, Any]:
    """Return loguru's ``record`` as one flat event with its ``extra`` beside it at the top.

    An extra that shares its name with a key of the record stays inside ``extra``.
    """
    record = line["record"]
    flat = {**{key: value for key, value in line.items() if key != "record"}, **record}
    if len(flat) < len(line) - 1 + len(record):
        return line
    for root in _LOGURU_ROOTS:
        if isinstance(nested := flat.get(root), dict):
            names = {key: f"{root}.{key}" for key in nested}
            _lift(flat, root, [(_LOGURU_NAMES.get(n, n), nested[key]) for key, n in names.items()])
    if "logger" not in flat and "name" in flat:
        flat["logger"] = flat.pop("name")
    if flat.get("exception", ...) is None:
        del flat["exception"]
    _lift_extra(flat)
    return flat


def _lift_extra(flat: dict[str, Any]) -> None:
    extra = flat.get("extra")
    if not isinstance(extra, dict):
        return
    clashing = {key: value for key, value in extra.items() if key in flat}
    del flat["extra"]
    flat.update((key, value) for key, value in extra.items() if key not in clashing)
    if clashing:
        flat["extra"] = clashing


def unwrap_node(line: dict[str, Any]) -> dict[str, Any]:
    """Return a pino or bunyan line with ``err``, ``req`` and ``res`` lifted to dotted keys.

    A server writes both of the latter when it has answered.
    """
    flat = _flattened(line, _NODE_ROOTS)
    if "req" in line and "res" in line:
        flat.setdefault("event", SERVED)
    return flat


def unwrap_ecs(line: dict[str, Any]) -> dict[str, Any]:
    """Return an ECS line with its nested objects as the dotted keys that they stand for."""
    return _flattened(line, _ECS_ROOTS)


def unwrap_datadog(line: dict[str, Any]) -> dict[str, Any]:
    """Return a line for Datadog with its standard attributes as dotted keys."""
    return _flattened(line, _DATADOG_ROOTS)


def unwrap_serilog(line: dict[str, Any]) -> dict[str, Any]:
    """Return a line of Serilog with ``Properties`` at the top; a level that is left out is info."""
    flat = dict(line)
    if isinstance(properties := flat.get("Properties"), dict):
        _lift(flat, "Properties", list(properties.items()))
    if flat.keys().isdisjoint(("@l", "Level")):
        flat["@l"] = "info"
    if flat.get("SourceContext") == "Serilog.AspNetCore.RequestLoggingMiddleware":
        flat.setdefault("event", SERVED)
    return flat


def _flattened(line: dict[str, Any], roots: tuple[str, ...]) -> dict[str, Any]:
    flat = dict(line)
    for root in roots:
        if isinstance(nested := flat.get(root), dict):
            _lift(flat, root, list(_leaves(root, nested)))
    return flat


def _leaves(prefix: str, nested: dict[str, Any], depth: int = 1) -> Iterator[tuple[str, Any]]:
    for key, value in nested.items():
        name = f"{prefix}.{key}"
        if isinstance(value, dict) and value and depth < _DEEPEST_LIFT:
            yield from _leaves(name, value, depth + 1)
        else:
            yield name, value


def _lift(flat: dict[str, Any], root: str, leaves: list[tuple[str, Any]]) -> None:
    """Put *leaves* in the place of *root*, unless one would replace another value."""
    names = {name for name, _ in leaves}
    if leaves and len(names) == len(leaves) and names.isdisjoint(flat.keys() - {root}):
        del flat[root]
        flat.update(leaves)
