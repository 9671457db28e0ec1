"""One log record -> the event that the row of its library and template makes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING, Any

from logkit.libraries import rows
from logkit.libraries.values import read
from logkit.schema import FIELDS_BY_NAME

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping

_ANY_TEMPLATE = "*"
_AIOHTTP_ACCESS = "aiohttp.access"
_SHARD = re.compile(r"hikari\.gateway\.(\d{1,6})")
_NAME = re.compile(r"(?:(?P<key>\w+)>)?(?:(?P<how>s|us|url|path|line|verb|int):)?(?P<field>\w+|-)")

# Names that begin loggers, the part of the table for what follows, and the platform.
_ROOTS: tuple[tuple[str, rows.Rows, str], ...] = (
    ("discord.", rows.DISCORD, "discord"),
    ("disnake.", rows.DISCORD, "discord"),
    ("nextcord.", rows.DISCORD, "discord"),
    ("hikari.", rows.HIKARI, "discord"),
    ("", rows.TELEGRAM, "telegram"),
    ("", rows.SERVERS, ""),
    ("", rows.CLIENTS, ""),
)


@dataclass(slots=True)
class Options:
    """What other parts of logkit decide.

    Attributes:
        calls_are_logged: Whether each request of an HTTP client is logged anyway.
    """

    calls_are_logged: bool = False


options = Options()
"""The options of this process."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the table says about one template.

    Attributes:
        event: Event name.
        names: For each value its key in the record's arguments (a position, or a name in a
            mapping), how it is read, and its field.
        constants: Fields that are the same each time.
        is_of_server: Whether the request that ``status_code`` tells of came from outside.
    """

    event: str
    names: tuple[tuple[int | str, str, str], ...]
    constants: Mapping[str, Any]
    is_of_server: bool


def recognise(record: logging.LogRecord) -> tuple[str, dict[str, Any]] | None:
    """Return event name and fields of a record that the table knows, or ``None``. Never raises."""
    template = record.msg
    if type(template) is not str:
        return None
    try:
        if record.args:
            row, values = _row_of(record.name, template), record.args
        elif record.name == "asyncio" and record.exc_info:
            # The loop's exception handler; its text has the task's or callback's repr in it.
            return "uncaught_exception", {}
        elif record.name.startswith(("slack_bolt", "slack_sdk")):
            row, values = _pattern_of(template)
        elif record.name == _AIOHTTP_ACCESS and "first_request_line" in vars(record):
            # Its text has the values in it, and so has the record, as far as the format names them.
            row, values = _row_of(record.name, template), _Given(vars(record))
        else:
            row, values = _row_of(record.name, template), ()
        return None if row is None else (row.event, _fields(row, values, record.name))
    except Exception:  # noqa: BLE001 - another version of the library, with other values
        return None


class _Given(dict[str, Any]):
    def __missing__(self, name: str) -> None:
        return None


def _row_of(logger: str, template: str) -> Row | None:
    known = rows_of(logger)
    if not known:
        return None
    return known.get(template) or known.get(template.split("\n", 1)[0]) or known.get(_ANY_TEMPLATE)


@lru_cache(maxsize=2_048)
def rows_of(logger: str) -> dict[str, Row]:
    """Return the rows of a logger by their templates."""
    found: dict[str, Row] = {}
    for root, table, platform in _ROOTS:
        rest = logger.removeprefix(root) if logger.startswith(root) else ""
        for part, templates in table.items():
            if rest == part or rest.startswith((f"{part}.", f"{part}:")):
                constants = {"platform": platform} if platform else {}
                is_of_server = table is rows.SERVERS
                found |= {t: _parse(row, constants, is_of_server) for t, row in templates.items()}
    return found


@lru_cache(maxsize=1)
def slack_patterns() -> list[tuple[re.Pattern[str], Row]]:
    """Return what is looked for in the texts of Slack's libraries, and what it means."""
    constants = {"platform": "slack"}
    return [
        (re.compile(pattern), _parse(row, constants, is_of_server=False))
        for pattern, row in rows.SLACK_PATTERNS.items()
    ]


def _pattern_of(text: str) -> tuple[Row | None, tuple[Any, ...]]:
    for pattern, row in slack_patterns():
        if found := pattern.match(text[:1_024]):
            return row, found.groups()
    return None, ()


def _parse(row: str, constants: Mapping[str, Any], is_of_server: bool) -> Row:
    event, _, rest = row.partition(" ")
    names: list[tuple[int | str, str, str]] = []
    fields = dict(constants)
    for position, word in enumerate(rest.split()):
        name, equals, value = word.partition("=")
        if equals:
            fields[name] = int(value) if value.isdecimal() else value
        elif (found := _NAME.fullmatch(word)) and found["field"] != "-":
            names.append((found["key"] or position, found["how"] or "", found["field"]))
    return Row(event, tuple(names), fields, is_of_server)


def _as_declared(name: str, value: Any) -> Any:
    """Return *value* in the type of its field: ids as text, milliseconds to wait rounded up."""
    declared = FIELDS_BY_NAME.get(name)
    if declared is not None and declared.type == "string":
        return str(value)
    if declared is not None and declared.type == "integer" and isinstance(value, float):
        return ceil(value)
    return value


def _fields(row: Row, values: Any, logger: str) -> dict[str, Any]:
    fields = dict(row.constants)
    for key, how, name in row.names:
        given = values[key]
        value = None if given is None else read(given, how)
        if value is not None:
            fields[name] = _as_declared(name, value)
    if shard := _SHARD.fullmatch(logger):
        fields["shard_id"] = int(shard[1])
    if options.calls_are_logged and not row.is_of_server:
        fields.pop("status_code", None)
    return fields
