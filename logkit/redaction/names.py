"""Fields whose name says that they hold a secret."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from logkit.redaction.marks import MARK

if TYPE_CHECKING:
    from collections.abc import Iterable

# The name ends with it: token_count and input_tokens are figures.
_ENDINGS = re.compile(
    r"(?:.*[_\-. ])?(?:token|secrets?|passwd|passphrase|pwd|auth|authorization|credentials?"
    r"|cookies?|jwt|otp|(?:api|private|secret|access|signing|auth|encryption|session)[_\-. ]?key)"
)
_PASSWORD = re.compile(r".*(?:password|passwd|passphrase).*")
# A part of each name that the expressions above know, and the short names that URLs have.
_WORDS = (
    *(b"token", b"secret", b"passw", b"passphrase", b"pwd", b"auth", b"credential", b"cookie"),
    *(b"jwt", b"otp", b"key", b"sig"),
)
_CAMEL_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_MAX_NAME = 256

_masked = 0


def is_secret_name(name: str) -> bool:
    """Return whether a field of that name holds a secret."""
    return _is_secret_name(name[-_MAX_NAME:])


@lru_cache(maxsize=4_096)
def _is_secret_name(name: str) -> bool:
    words = _CAMEL_HUMP.sub("_", name).lower()
    return _ENDINGS.fullmatch(words) is not None or _PASSWORD.fullmatch(words) is not None


def may_name_secrets(line: bytes) -> bool:
    """Return whether the name of a secret can be in *line* at all; cheap."""
    lower = line.lower()
    return any(word in lower for word in _WORDS)


def is_password_name(name: str) -> bool:
    """Return whether a field of that name holds a secret even if it is a number."""
    return _PASSWORD.fullmatch(name.lower()) is not None


def secret_names(names: Iterable[object]) -> frozenset[str]:
    """Return those of *names* that label a secret."""
    return frozenset(name for name in names if isinstance(name, str) and is_secret_name(name))


def mask(fields: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """Return *fields* with ``[redacted]`` under each of *names*.

    Numbers stay under a name like ``token``, which may count, but not under ``password``.
    """
    masked = {name: MARK for name in names if _is_masked(name, fields[name])}
    if not masked:
        return fields
    _count(len(masked))
    return {**fields, **masked}


def masked_count() -> int:
    """Return how many fields were masked since the process started."""
    return _masked


def _is_masked(name: str, value: object) -> bool:
    if value is None or isinstance(value, bool) or (isinstance(value, str) and value in ("", MARK)):
        return False
    return not isinstance(value, int | float) or is_password_name(name)


def _count(number: int) -> None:
    # No lock: on CPython threads take turns between calls, and there is none in here.
    global _masked
    _masked += number
