"""Fields whose name says that they hold a secret."""

from __future__ import annotations

import re
import threading
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
_CAMEL_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_lock = threading.Lock()
_masked = 0


@lru_cache(maxsize=4_096)
def is_secret_name(name: str) -> bool:
    """Return whether a field of that name holds a secret."""
    words = _CAMEL_HUMP.sub("_", name[:256]).lower()
    return _ENDINGS.fullmatch(words) is not None or _PASSWORD.fullmatch(words) is not None


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
    return not isinstance(value, int | float) or _PASSWORD.fullmatch(name.lower()) is not None


def _count(number: int) -> None:
    global _masked
    with _lock:
        _masked += number
