"""Any Python values -> copies made of the types that JSON knows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import date, time
from enum import Enum
from itertools import chain, islice
from typing import Any

from logkit.schema import MAX_LINE_BYTES

MAX_DEPTH = 32
MAX_ITEMS = MAX_LINE_BYTES // 2
"""Items that are copied: more of them never fit, each with its comma, into one line."""

FLAT_TYPES = frozenset({str, int, float, bool, type(None)})
_MAX_TAME_ITEMS = 200_000
_CONTAINERS = frozenset({dict, list, tuple})
_INT64_MIN, _UINT64_MAX = -(2**63), 2**64 - 1


def text_of(value: object) -> str:
    """Return ``str(value)``, or a note when the value cannot be printed."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - a value's own __str__; its failure must not cost the event
        return f"<unprintable {_class_name(value)}>"


def attribute_of(value: object, name: str) -> Any:
    """Return an attribute, or ``None`` where there is none or the value's own code fails."""
    try:
        return getattr(value, name, None)
    except Exception:  # noqa: BLE001 - a value's own __getattr__ or property
        return None


def utf8_text(text: str) -> str:
    """Return *text* with lone surrogates as backslash escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def is_flat(value: object) -> bool:
    """Return whether *value* is text, a number, a truth value or nothing."""
    return type(value) in FLAT_TYPES


def is_tame(fields: dict[str, Any]) -> bool:
    """Return whether *fields* holds nothing but flat values in dicts, lists and tuples.

    Neither too many nor too deep; what is in several places counts in each.
    """
    level: list[Any] = [fields]
    left = _MAX_TAME_ITEMS
    for _ in range(MAX_DEPTH):
        left -= sum(map(len, level))
        if left < 0:
            return False
        members = chain.from_iterable(c.values() if type(c) is dict else c for c in level)
        level = [member for member in members if type(member) not in FLAT_TYPES]
        if not level:
            return True
        if not _CONTAINERS.issuperset(map(type, level)):
            return False
    return False


class Copier:
    """Copies the values of one event, as far as there is room for them in a line."""

    def __init__(self) -> None:
        self._items_left = MAX_ITEMS

    def copy(self, value: Any, parents: tuple[int, ...] = ()) -> Any:
        """Return *value* in types that JSON knows; *parents* are the ids of what holds it."""
        try:
            if isinstance(value, Enum):
                value = value.value
            plain = _plain(value)
            if plain is not _NO_SCALAR:
                return plain
            if id(value) in parents:
                return f"<cycle of {_class_name(value)}>"
            if len(parents) >= MAX_DEPTH:
                return f"<{_class_name(value)} deeper than {MAX_DEPTH} levels>"
            return self._container(value, (*parents, id(value)))
        except Exception:  # noqa: BLE001 - a value of the bot's own that fails while being read
            return f"<unreadable {_class_name(value)}>"

    def _container(self, value: Any, parents: tuple[int, ...]) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            value = {f.name: getattr(value, f.name, None) for f in dataclasses.fields(value)}
        if isinstance(value, Mapping):
            return self._mapping(value, parents)
        if isinstance(value, list | tuple | set | frozenset):
            return [self.copy(item, parents) for item in self._within_room(value)]
        # numpy's scalars and arrays, but for scalars that Python has no type for
        if hasattr(value, "tolist") and not getattr(value, "size", 0) > MAX_ITEMS:
            native = value.tolist()
            if type(native) is not type(value):
                return self.copy(native, parents)
        return utf8_text(text_of(value))

    def _mapping(self, value: Mapping[Any, Any], parents: tuple[int, ...]) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for key, item in self._within_room(value.items()):
            name = utf8_text(str.__str__(key) if isinstance(key, str) else text_of(key))
            members[_free_name(name, members)] = self.copy(item, parents)
        return members

    def _within_room(self, items: Iterable[Any]) -> list[Any]:
        # A list of its own, since copying an item may change what it is in.
        taken = list(islice(items, max(self._items_left, 0)))
        self._items_left -= len(taken) + 1
        return taken


def _free_name(name: str, taken: Mapping[str, Any]) -> str:
    if name in taken:
        name += "_"
    while name in taken:  # a step or two, even if all keys look alike
        name = f"{name}{len(taken)}"
    return name


_NO_SCALAR = object()


def _plain(value: Any) -> Any:
    """Return a value without members as what JSON has for it, or ``_NO_SCALAR``."""
    if value is None or isinstance(value, bool):
        return value
    # What a subclass makes of these methods is its own affair.
    if isinstance(value, str):
        return utf8_text(str.__str__(value))
    if isinstance(value, int):
        number = int.__pos__(value)
        return number if _INT64_MIN <= number <= _UINT64_MAX else _digits(number)
    if isinstance(value, float):
        return float.__pos__(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "backslashreplace")
    if isinstance(value, date | time):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, BaseException):
        return f"{_class_name(value)}: {text_of(value)}"
    if isinstance(value, type):
        return value.__qualname__
    return _NO_SCALAR


def _digits(value: int) -> str:
    try:
        return int.__repr__(value)
    except ValueError:  # longer than sys.get_int_max_str_digits()
        return hex(value)


def _class_name(value: object) -> str:
    try:
        return type(value).__name__
    except Exception:  # noqa: BLE001 - a metaclass of the bot's own
        return "object"
