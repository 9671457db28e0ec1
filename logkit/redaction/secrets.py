"""Secrets that are known: values of environment variables, and what the bot has registered."""

from __future__ import annotations

import json
import os
import re
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from logkit import schema
from logkit.forks import new_lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NAME_ENDINGS = ("TOKEN", "SECRET", "KEY", "PASSWORD", "PASSWD", "PASSPHRASE")
_MIN_LENGTH = 6
_MIN_NUMBER_LENGTH = 8
_MIN_REGISTERED_LENGTH = 4
_LOOK_AGAIN_S = 1.0
_MAX_NAMES = 64
_JSON_LEVELS = 3
_BOTH = (False, True)

# A value that is part of these would take the names of fields out of every line.
_FIXED_TEXT = "\n".join([*schema.FIELDS_BY_NAME, *schema.LEVELS, "true", "false", "null"])
_NUMBER = re.compile(r"-?[0-9.eE+-]+")


class Secrets:
    """The byte strings that no line may hold, in each form in which a line might.

    The environment is looked at again when more than a second has passed, since ``.env`` files are
    read at any time.

    Attributes:
        is_on: Whether anything is redacted by value and by shape.
        forms: The byte strings, longest first.
        number_forms: Those that JSON may hold without quotes.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self.is_on = True
        self.forms: tuple[bytes, ...] = ()
        self.number_forms: frozenset[bytes] = frozenset()
        self._environment = environment
        self._registered: set[str] = set()
        self._protected: tuple[str, ...] = (_FIXED_TEXT,)
        self._known: frozenset[str] = frozenset()
        self._lock = new_lock()
        self._next_look = 0.0

    def register(self, secret: str) -> None:
        """Redact *secret*, of at least 4 characters, from now on."""
        if len(secret) >= _MIN_REGISTERED_LENGTH:
            with self._lock:
                self._registered.add(secret)
                self._next_look = 0.0

    def protect(self, *texts: str | None) -> None:
        """Leave values alone that are part of *texts*, such as the name of the service."""
        with self._lock:
            self._protected = (_FIXED_TEXT, *(text for text in texts if text))
            self._next_look = 0.0

    def refresh(self) -> None:
        """Look at the environment again if it is time."""
        if time.monotonic() < self._next_look:
            return
        with self._lock:
            known = {*self._registered, *self._from_environment()}
            usable = {secret for secret in known if not self._is_protected(secret)}
            if usable != self._known:
                self._known = frozenset(usable)
                forms = {form for secret in usable for form in forms_of(secret)}
                numbers = (form for form in forms if _NUMBER.fullmatch(form.decode()))
                self.number_forms = frozenset(numbers)
                self.forms = tuple(sorted(forms, key=len, reverse=True))
            self._next_look = time.monotonic() + _LOOK_AGAIN_S

    def names(self) -> list[str]:
        """Return the names of environment variables whose values are redacted, at most 64."""
        return sorted(_secret_variables(self._environment))[:_MAX_NAMES]

    @property
    def registered_count(self) -> int:
        """Return how many secrets the bot has registered."""
        return len(self._registered)

    def _from_environment(self) -> Iterable[str]:
        try:
            return _secret_variables(self._environment).values()
        except RuntimeError:  # changed by another thread in the middle of the walk
            return self._known - self._registered

    def _is_protected(self, secret: str) -> bool:
        return any(secret in text for text in self._protected)


def forms_of(secret: str) -> set[bytes]:
    """Return *secret* as text, URLs and JSON hold it, also JSON inside JSON."""
    in_urls = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    lower = {re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), text) for text in in_urls}
    texts = {secret, *in_urls, *lower}
    for _ in range(_JSON_LEVELS):
        texts |= {json.dumps(t, ensure_ascii=is_ascii)[1:-1] for t in texts for is_ascii in _BOTH}
    return {text.encode("utf-8", "backslashreplace") for text in texts}


def _secret_variables(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if name.upper().endswith(_NAME_ENDINGS) and _is_long_enough(value)
    }


def _is_long_enough(value: str) -> bool:
    # Shorter numbers turn up by chance, in times and counters.
    return len(value) >= (_MIN_NUMBER_LENGTH if value.isdecimal() else _MIN_LENGTH)


secrets = Secrets()
"""The secrets of this process."""


def register_secret(secret: str) -> None:
    """Redact *secret*, of at least 4 characters, wherever an event would show it."""
    secrets.register(secret)
