"""What well-known libraries log, as the events that logkit makes of it inside a bot.

The bot side knows a record by its template, before its values are in it. Here only the text is
left; so the same table is read the other way round: a template's words are looked for in the text,
and what stands between them are the values. A line's own values are never replaced.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING, Any

from logkit.libraries.records import rows_of, slack_patterns
from logkit.libraries.values import read
from logkit.schema import FIELDS_BY_NAME
from logkit_analysis.parsers.text.tracebacks import blocking_frame
from logkit_analysis.parsers.values import COLUMN_CONVERTERS

if TYPE_CHECKING:
    from logkit.libraries.records import Row

LIBRARIES = frozenset(
    (
        *("aiogram", "aiohttp", "anthropic", "asyncio", "celery", "discord", "disnake"),
        *("gunicorn", "hikari", "httpx", "httpx2", "nextcord", "openai", "pyrogram"),
        *("slack_bolt", "slack_sdk", "telegram", "telethon", "urllib3", "uvicorn", "werkzeug"),
    )
)
"""First parts of the names of loggers that may have a meaning."""

_LOGGER_BY_FIRST_WORD = {
    "We": "discord.http",
    "Global": "discord.http",
    "Webhook": "discord.webhook",
    "Shard": "discord.gateway",
    "Can't": "discord.gateway",
    "HTTP": "httpx",
}
FIRST_WORDS: frozenset[str] = frozenset(_LOGGER_BY_FIRST_WORD)
"""First words of messages that may have a meaning also without a logger."""

_COUNTS = frozenset(("close_code", "max_attempts", "response_bytes"))
_EVENT_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_EVENT_NAME_LENGTH = 64
_PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?[#0 +-]*\d*(?:\.\d+)?([a-zA-Z])")
_INTEGER = re.compile(r"[+-]?\d{1,18}")
_NUMBER = re.compile(r"[+-]?\d{1,18}(?:\.\d{1,18})?")

# Access lines are not written from a template of their library, but as a setting says.
_REQUEST = r'"(?P<method>[A-Z]+) (?P<endpoint>\S+) HTTP/(?P<http_version>[\d.]+)"'
_ACCESS = re.compile(
    rf"(?P<client>\S+)(?: \S+ \S+)? \[[^\]]*\] {_REQUEST} (?P<status_code>\d{{3}})"
    r"(?: (?P<response_bytes>\d{1,18}))?(?: .*)?",
    re.DOTALL,
)
_UVICORN = re.compile(rf"(?P<client>\S*) - {_REQUEST} (?P<status_code>\d{{3}})(?: .*)?", re.DOTALL)
_ACCESS_LINES = {
    "aiohttp.access": _ACCESS,
    "gunicorn.access": _ACCESS,
    "werkzeug": _ACCESS,
    "uvicorn": _UVICORN,
    "uvicorn.access": _UVICORN,
}


@dataclass(frozen=True, slots=True)
class _Template:
    """A template, read backwards.

    Attributes:
        row: What it means.
        literals: What stands before, between and behind the values.
        keys: What each value is called in the row.
        kinds: The letter of each placeholder.
    """

    row: Row
    literals: tuple[str, ...]
    keys: tuple[int | str, ...]
    kinds: tuple[str, ...]

    def values(self, text: str) -> dict[int | str, Any] | None:
        """Return the values that make *text* of the template, ``None`` if none do."""
        first, *between = self.literals
        if not text.startswith(first) or not text.endswith(self.literals[-1]):
            return None
        position = len(first)
        values: list[str] = []
        for literal in between:
            is_last = len(values) == len(between) - 1
            end = len(text) - len(literal) if is_last else text.find(literal, position)
            if end < position:
                return None
            values.append(text[position:end])
            position = end + len(literal)
        if position != len(text) or not all(map(_fits, values, self.kinds)):
            return None
        return dict(zip(self.keys, map(_typed, values, self.kinds), strict=True))


def is_event_name(text: object) -> bool:
    """Return whether *text* is a snake_case name, which says what happened without values."""
    return (
        isinstance(text, str)
        and len(text) <= _EVENT_NAME_LENGTH
        and _EVENT_NAME.fullmatch(text) is not None
    )


def add_meaning(columns: dict[str, Any], rest: dict[str, Any], library: str | None = None) -> None:
    """Add the event's name and fields if a known library wrote the message.

    Args:
        columns: Values by column; ``event`` may hold the message, as structlog writes it.
        rest: Values that have no column.
        library: Logger to go by where the line names none.
    """
    event = columns.get("event")
    text = columns.get("message") or event
    if text is None or (event is not None and " " not in event):
        # A name says more than a text.
        return
    logger = columns.get("logger") or library or _LOGGER_BY_FIRST_WORD.get(text.partition(" ")[0])
    if logger is None or logger.partition(".")[0] not in LIBRARIES:
        return
    found = _meaning(logger, text)
    if found is None:
        return
    name, fields = found
    columns.setdefault("message", text)
    columns["event"] = name
    stack = columns.get("error_stack") or text
    if name == "heartbeat_blocked" and (frame := blocking_frame(stack)):
        fields["blocking_frame"] = frame
    _add(columns, rest, fields)


def _meaning(logger: str, text: str) -> tuple[str, dict[str, Any]] | None:
    """Return the event's name and fields of a message, ``None`` if it is not known."""
    if (access := _ACCESS_LINES.get(logger)) and (line := access.fullmatch(text)):
        fields = {name: value for name, value in line.groupdict().items() if value is not None}
        return "request_handled", fields | {"endpoint": _read(fields["endpoint"], "path")}
    first_line = text.partition("\n")[0]
    for template in _templates(logger):
        if (values := template.values(first_line)) is not None:
            return template.row.event, _fields(template.row, values)
    if logger.startswith("slack_"):
        for pattern, row in slack_patterns():
            if matched := pattern.match(text[:1_024]):
                return row.event, _fields(row, dict(enumerate(matched.groups())))
    return None


@lru_cache(maxsize=2_048)
def _templates(logger: str) -> list[_Template]:
    """Return the templates of a logger, those with most words of their own first."""
    known = rows_of("uvicorn.error" if logger == "uvicorn" else logger)
    found = [_template(text, row) for text, row in known.items() if text != "*"]
    return sorted(found, key=lambda template: -sum(map(len, template.literals)))


def _template(text: str, row: Row) -> _Template:
    parts = _PLACEHOLDER.split(text)
    literals = tuple(part.replace("%%", "%") for part in parts[::3])
    keys = tuple(name or position for position, name in enumerate(parts[1::3]))
    return _Template(row, literals, keys, tuple(parts[2::3]))


def _fits(value: str, kind: str) -> bool:
    if kind in "di":
        return _INTEGER.fullmatch(value) is not None
    return kind not in "fg" or _NUMBER.fullmatch(value) is not None


def _typed(value: str, kind: str) -> str | int | float:
    """Return the value that a placeholder of *kind* has written as *value*."""
    if kind in "di":
        return int(value)
    if kind in "fg":
        return float(value)
    is_quoted = kind == "r" and len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if is_quoted else value


def _fields(row: Row, values: dict[int | str, Any]) -> dict[str, Any]:
    fields = dict(row.constants)
    for key, how, name in row.names:
        value = values.get(key)
        if value not in (None, "None", "") and (converted := _read(value, how)) is not None:
            fields[name] = converted
    return fields


@lru_cache(maxsize=4_096)
def _read(value: object, how: str) -> Any:
    try:
        return read(value, how)
    except ValueError:
        return None


def _add(columns: dict[str, Any], rest: dict[str, Any], fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        convert = COLUMN_CONVERTERS.get(name)
        if convert is None:
            is_count = name in _COUNTS and isinstance(value, str) and _INTEGER.fullmatch(value)
            rest.setdefault(name, int(value) if is_count else value)
            continue
        if FIELDS_BY_NAME[name].type == "integer" and isinstance(value, float):
            value = ceil(value)
        if (converted := convert(value)) is not None:
            columns.setdefault(name, converted)
