"""A user's own format: a regular expression with named groups, from ``logkit.toml``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from logkit_analysis.errors import UsageError
from logkit_analysis.parsers.text.formats import BY_NAME, FAMILIES, TextFormat
from logkit_analysis.parsers.text.transports import TRANSPORTS_BY_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_\-]*")
_TAKEN = {"auto", "json", *BY_NAME, *FAMILIES, *TRANSPORTS_BY_NAME}
_KEYS = {"pattern": str, "samples": list, "multiline": bool, "time_format": str, "fields": dict}
_LONGEST_SHOWN = 100


class OwnFormatError(UsageError):
    """A format in a settings file is not what it should be."""


def own_format(name: str, table: object, origin: str) -> TextFormat:
    """Return the format that a settings file describes.

    Args:
        name: What it is called.
        table: ``pattern``, a regular expression for the first line of a record whose named groups
            are fields, and ``samples``, lines that it must match. Optional: ``multiline``
            (whether other lines continue the record, true), ``time_format`` (of the group
            ``timestamp``, as for ``strptime``) and ``fields`` (values that every record has).
        origin: Name of the settings file for people.

    Raises:
        OwnFormatError: Something is missing, unknown or wrong, or a sample does not match.
    """
    where = f"{origin} [formats.{name}]"
    values = _checked(name, table, where)
    try:
        pattern = re.compile(values["pattern"])
    except re.error as error:
        raise OwnFormatError(f"{where}: pattern is no regular expression: {error}") from error
    if not pattern.groupindex:
        raise OwnFormatError(
            f"{where}: pattern has no named groups; write (?P<message>.*), (?P<timestamp>...) ..."
        )
    for sample in values["samples"]:
        if not isinstance(sample, str) or not pattern.fullmatch(sample):
            shown = str(sample)[:_LONGEST_SHOWN]
            raise OwnFormatError(f"{where}: pattern does not match its own sample {shown!r}")
    return TextFormat(
        name,
        pattern,
        tuple(values["samples"]),
        is_multiline=values.get("multiline", True),
        has_dialects=True,
        time_format=values.get("time_format"),
        constants=tuple(values.get("fields", {}).items()),
    )


def _checked(name: str, table: object, where: str) -> Mapping[str, Any]:
    if not isinstance(table, dict):
        raise OwnFormatError(f"{where}: a table with pattern and samples is expected")
    if not _NAME.fullmatch(name) or name in _TAKEN:
        raise OwnFormatError(f"{where}: the name is taken, or not of letters, digits, - and _")
    for key, value in table.items():
        if key not in _KEYS:
            raise OwnFormatError(f"{where}: unknown key {key!r}; known: {', '.join(_KEYS)}")
        if not isinstance(value, _KEYS[key]):
            raise OwnFormatError(f"{where}: {key} should be a {_KEYS[key].__name__}")
    for key in ("pattern", "samples"):
        if not table.get(key):
            raise OwnFormatError(f"{where}: {key} is missing")
    return table
