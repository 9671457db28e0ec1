"""ResultSet -> CSV (RFC 4180), one line a row."""

from __future__ import annotations

import re
from datetime import datetime
from typing import IO, TYPE_CHECKING

import orjson

from logkit_analysis.renderers.escaping import escape_controls
from logkit_analysis.renderers.values import plain, rfc3339

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from logkit_analysis.results import ResultSet

_NEEDS_QUOTES = re.compile(r'[",]|^\s|\s$|^$')
# A spreadsheet runs a cell that begins like this; a plain number (a Telegram chat id is
# negative) is none and must stay as it is.
_FORMULA = re.compile(r"[=+\-@](?!\d+(\.\d+)?$)")
# Most cells are names, paths, ids and times: what needs no other look is told at once.
_PLAIN = re.compile(r"[\w/{][\w/{}.: -]*[\w/}]", re.ASCII)


def write_csv(result: ResultSet, stream: IO[bytes], zone: ZoneInfo) -> None:
    """Write a header and the rows.

    NULL is an empty cell and the empty text is ``""``. Control characters are escaped, a line
    break too. Text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    stream.write(_line([_text(name, zone) for name in result.column_names]))
    for row in result.rows:
        stream.write(_line(["" if value is None else _text(value, zone) for value in row]))


def _line(cells: list[str]) -> bytes:
    return (",".join(cells) + "\n").encode("utf-8", "backslashreplace")


def _text(value: object, zone: ZoneInfo) -> str:
    # The common types first: a result has many cells.
    if type(value) is str:
        plain_text = _PLAIN.fullmatch(value)
        return value if plain_text else _quoted(_harmless(escape_controls(value)))
    if type(value) is int:
        return str(value)
    match plain(value):
        case None:
            return ""
        case bool() as flag:
            return "true" if flag else "false"
        case datetime() as moment:
            return rfc3339(moment, zone)
        case str() as text:
            return _quoted(_harmless(escape_controls(text)))
        case list() | dict() as nested:
            return _quoted(escape_controls(orjson.dumps(nested, default=str).decode()))
        case other:
            return _quoted(str(other))


def _harmless(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def _quoted(text: str) -> str:
    if _NEEDS_QUOTES.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text
