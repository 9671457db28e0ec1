"""The IETF fields ``RateLimit`` and ``RateLimit-Policy``, in the forms that servers send.

Sources: draft-ietf-httpapi-ratelimit-headers-11 (named items), -07 (a dictionary) and -06 and
before (three fields, policies named by their quota).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logkit.rate_limits.quantities import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAX_ITEMS = 64
# Possessive, so that a broken value cannot make the search slow.
_PIECE = re.compile(r'((?:[^",;]|"(?:[^"\\]|\\.)*+")*+)([,;]|\Z)')


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a structured list: its bare value as text, and its parameters."""

    value: str
    parameters: Mapping[str, str]


def items(text: str) -> list[Item]:
    """Return the items of a structured list, as far as it can be read."""
    return [item for item, _ in zip(_items(text), range(_MAX_ITEMS), strict=False)]


def dictionary(found: list[Item]) -> dict[str, str]:
    """Return the members ``limit=100, remaining=50, reset=5`` of the draft of 2023."""
    members = (item.value.partition("=") for item in found)
    return {name.strip(): value.strip() for name, equals, value in members if equals}


def window_s(policies: list[Item], limit: int | None) -> int | None:
    """Return the window of the policy whose quota is *limit*, in seconds."""
    for policy in policies:
        if limit is not None and count(policy.value) == limit:
            return positive(policy.parameters.get("w"))
    return None


def positive(text: str | None) -> int | None:
    """Return the whole number that *text* spells, or ``None`` if it spells none or less than 0."""
    found = count(text)
    return None if found is None or found < 0 else found


def _items(text: str) -> Iterator[Item]:
    pieces: list[str] = []
    end = 0
    while end < len(text) and (match := _PIECE.match(text, end)):
        pieces.append(match[1].strip())
        end = match.end()
        if match[2] != ";":
            yield _item(pieces)
            pieces = []


def _item(pieces: list[str]) -> Item:
    pairs = (piece.partition("=") for piece in pieces[1:])
    return Item(
        _unquoted(pieces[0]),
        {name.strip().lower(): _unquoted(value.strip()) for name, _, value in pairs},
    )


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text
