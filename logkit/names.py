"""Event names: taken as they are when they are names, derived from the template otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from logkit.encoding import text_of

MAX_NAME_LENGTH = 96
_MAX_WORDS = 8
_MAX_TEXT = 256
_MAX_CACHED = 2_048
_MAX_TEXTS_PER_LOGGER = 200

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[#0 +-]*(?:\d+|\*)?(?:\.(?:\d+|\*))?[hlL]?[a-zA-Z%]")
# What an f-string has most likely put in: quoted text, addresses, paths, times in brackets, words
# with digits.
_VALUE = re.compile(
    r"\S+://\S+|\S*@\S*|\[[^\[\]]*\d[^\[\]]*\]|(?<!\w)'[^']*'(?!\w)|\"[^\"]*\"|`[^`]*`|(?<!\w)[/\\<]\S+|\{[^{}]*\}|\w*\d\w*"
)
_WORD = re.compile(r"(?<![^\W_])[^\W\d_][^\W_]*(?:['’][^\W\d_]+)*")

known_names: set[str] = set()
"""Texts that are known to be event names; at most 2,048."""

_derived: dict[tuple[str, str, bool], str] = {}
_texts_seen: dict[str, int] = {}


def is_name(text: str) -> bool:
    """Return whether *text* is a snake_case event name of at most 96 characters."""
    if text in known_names:
        return True
    if len(text) > MAX_NAME_LENGTH or _NAME.fullmatch(text) is None:
        return False
    if len(known_names) < _MAX_CACHED:
        known_names.add(text)
    return True


def describe(template: object, args: Any, logger: str) -> tuple[str, str | None]:
    """Return the event name of a log call and its message (``None`` if the name says it all).

    Args:
        template: What was logged: an event name, or text with ``%`` placeholders.
        args: Values for the placeholders, as the logging module takes them.
        logger: Name of the logger; it stands in where the template has too few words.
    """
    text = template if isinstance(template, str) else text_of(template)
    if is_name(text):
        return text, " ".join([text, *map(text_of, args)]) if args else None
    return _event_name(text, bool(args), logger), _interpolate(text, args)


def _interpolate(text: str, args: Any) -> str:
    if not args:
        return text
    if isinstance(args, tuple) and len(args) == 1 and isinstance(args[0], Mapping) and args[0]:
        args = args[0]
    try:
        return str(text % args)
    except Exception:  # noqa: BLE001 - placeholders that do not fit, or a value's own __str__
        values = args.values() if isinstance(args, Mapping) else args
        return " ".join([text, *map(text_of, values)])


def _event_name(text: str, has_args: bool, logger: str) -> str:
    key = (logger, text[:_MAX_TEXT], has_args)
    name = _derived.get(key)
    if name is None:
        if len(_derived) >= _MAX_CACHED:
            _derived.clear()
        name = _derived[key] = _derive(*key)
    return name


def _derive(logger: str, text: str, has_args: bool) -> str:
    stem = "_".join(_words(logger.replace("_", " "))) or "log"
    if not has_args:
        # Text without placeholders may hold values. A logger that keeps on producing new texts
        # gets one name for the rest, so that the number of names stays small.
        if len(_texts_seen) >= _MAX_CACHED:  # loggers may be named after users
            _texts_seen.clear()
        seen = _texts_seen[logger] = _texts_seen.get(logger, 0) + 1
        if seen > _MAX_TEXTS_PER_LOGGER:
            return f"{stem}_message"
    text = (_PLACEHOLDER if has_args else _VALUE).sub(" ", text)
    # A traceback, or the source line of a warning, stands below what was said.
    words = next(filter(None, map(_words, text.splitlines())), [])
    if not words:
        return f"{stem}_message"[-MAX_NAME_LENGTH:]
    if len(words) == 1:
        words.insert(0, stem)
    return "_".join(words)[:MAX_NAME_LENGTH].rstrip("_")


def _words(text: str) -> list[str]:
    words = (word.lower().replace("'", "").replace("’", "") for word in _WORD.findall(text))
    return [word for word, _ in zip(words, range(_MAX_WORDS), strict=False)]
