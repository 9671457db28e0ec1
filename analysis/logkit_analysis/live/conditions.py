"""A condition on one key, ``key=value``, as SQL with bound values."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from logkit.schema import FIELDS, FIELDS_BY_NAME, LEVELS
from logkit_analysis.errors import UsageError
from logkit_analysis.parsers.dialects import NATIVE
from logkit_analysis.parsers.levels import LEVEL_BY_NAME

_CONDITION = re.compile(r"(?P<key>.+?)(?P<operator>!=|~=|=)(?P<value>.*)", re.DOTALL)
# What the shell gave us that is no UTF-8.
_SURROGATE = re.compile("[\ud800-\udfff]")
_SIGNS = {"=": "=", "!=": "is distinct from"}
_HOW = "write key=value, key!=value or key~=part"
_COLUMNS = {*FIELDS_BY_NAME, "fields", "source_file"}
# What other loggers call our fields; what they hold in another unit has a converter.
_ALIASES = {
    key: (column.name, converter is None)
    for column in FIELDS
    for key, converter in NATIVE.sources(column.name)
    if key not in FIELDS_BY_NAME
}


@dataclass(slots=True)
class Conditions:
    """Conditions that all hold, as SQL over the columns of ``events``.

    Attributes:
        texts: An SQL expression each.
        values: What is bound to their parameters.
        columns: The columns that they need.
        notes: What the user should know about them.
    """

    texts: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    columns: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def add(self, condition: str) -> None:
        """Add ``key=value``, ``key!=value`` or ``key~=part``.

        Raises:
            UsageError: It is none, or the key cannot have the value.
        """
        if _SURROGATE.search(condition):
            raise UsageError(f"-f {condition}: not UTF-8, and no value of a log is anything else")
        key, operator, value = _parsed(condition)
        self._note_doubts(condition, key)
        if key == "level" and value and operator != "~=":
            value = level_named(f"-f {condition}", value)
        if key == "file":
            self._add_file(operator, value)
            return
        column = self._column(condition, key)
        if operator == "~=":
            part = self._bound(value.lower())
            self.texts.append(f"contains(lower(cast({column} as varchar)), {part})")
        elif not value:
            is_missing = f"coalesce(cast({column} as varchar), '') = ''"
            self.texts.append(is_missing if operator == "=" else f"not ({is_missing})")
        else:
            is_text = key not in FIELDS_BY_NAME or FIELDS_BY_NAME[key].type == "string"
            bound = self._bound(value if is_text else _number(condition, key, value))
            self.texts.append(f"{column} {_SIGNS[operator]} {bound}")

    def _add_file(self, operator: str, value: str) -> None:
        """Add a condition on the file: its path or its name."""
        self.columns.add("source_file")
        if operator == "~=":
            self.texts.append(f"contains(lower(source_file), {self._bound(value.lower())})")
            return
        is_it = f"(source_file = {self._bound(value)}"
        is_it += f" or ends_with(source_file, {self._bound('/' + value)}))"
        self.texts.append(is_it if operator == "=" else f"{is_it} is not true")

    def _column(self, condition: str, key: str) -> str:
        """Return the SQL for the value of *key*."""
        if key == "timestamp":
            raise UsageError(f"-f {condition}: for times there are --since and --where")
        if key in _COLUMNS:
            self.columns.add(key)
            return key
        self.columns.add("fields")
        pointer = "/" + key.replace("~", "~0").replace("/", "~1")
        places = [f"json_extract_string(fields, {self._bound(pointer)})"]
        if "." in key:
            nested = pointer.replace(".", "/")
            places.append(f"json_extract_string(fields, {self._bound(nested)})")
        column, is_same = _ALIASES.get(key, ("", False))
        if is_same and column != "timestamp":
            self.columns.add(column)
            places.append(f"cast({column} as varchar)")
        return places[0] if len(places) == 1 else f"coalesce({', '.join(places)})"

    def _bound(self, value: object) -> str:
        name = f"value_{len(self.values)}"
        self.values[name] = value
        return f"${name}"

    def _note_doubts(self, condition: str, key: str) -> None:
        if key in _COLUMNS or key == "file":
            return
        column, is_same = _ALIASES.get(key, ("", True))
        if not is_same:
            self.notes.append(f"-f {condition}: {key} of a log becomes {column}; filter by that")
        elif (
            "." not in key
            and not column
            and (near := get_close_matches(key, FIELDS_BY_NAME, n=1, cutoff=0.8))
        ):
            self.notes.append(
                f"-f {condition}: no field is named {key}; did you mean {near[0]}? It is looked "
                f"for among all other keys"
            )


def _parsed(condition: str) -> tuple[str, str, str]:
    """Return key, operator and value of *condition*."""
    match = _CONDITION.fullmatch(condition)
    if match is None:
        raise UsageError(f"-f {condition}: {_HOW}")
    key, operator, value = (match[name].strip() for name in ("key", "operator", "value"))
    if not key or key[-1] in "<>!~" or (operator == "=" and value.startswith("=")):
        raise UsageError(f"-f {condition}: {_HOW}; --where '{_compared(condition)}' does more")
    is_level = _ALIASES.get(key, ("",))[0] == "level"
    return "level" if is_level else key, operator, value


def level_named(option: str, name: str) -> str:
    """Return our level for *name*, which may be another logger's, in any case.

    Raises:
        UsageError: It is no level.
    """
    level = LEVEL_BY_NAME.get(name.lower())
    if level is None:
        raise UsageError(f"{option}: {name!r} is no level; levels are {', '.join(LEVELS)}")
    return level


def _number(condition: str, key: str, value: str) -> float:
    """Return *value* as the number that it is."""
    try:
        number = int(value) if value.lstrip("+-").isdecimal() else float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or abs(number) > 2**63:
        raise UsageError(f"-f {condition}: {key} is a number and {value!r} is none")
    return number


def _compared(condition: str) -> str:
    return condition.replace("==", "=").strip()
