"""The name of a stream's format as what it stands for.

``json`` is JSON lines alone; ``python-dash+uvicorn`` lines of two text formats (and JSON lines
between them); ``cri:python-dash`` the same inside a transport; ``syslog`` a transport alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from logkit_analysis.errors import UsageError
from logkit_analysis.parsers.text.formats import FAMILIES, FORMATS, TextFormat
from logkit_analysis.parsers.text.transports import TRANSPORTS_BY_NAME, Transport

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

JSON = "json"


class UnknownFormatError(UsageError):
    """There is no format of the name that was asked for."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
        super().__init__(f"no log format named {name!r}; {hint}")


@dataclass(frozen=True, slots=True)
class Layout:
    """What the lines of a stream are.

    Attributes:
        transport: How they come, or ``None``.
        formats: What begins a record besides a JSON object, likeliest first.
    """

    transport: Transport | None
    formats: tuple[TextFormat, ...]


class FormatTable:
    """All formats: the user's own, then ours.

    Args:
        own: The user's own.
    """

    def __init__(self, own: Iterable[TextFormat] = ()) -> None:
        self.formats: tuple[TextFormat, ...] = (*own, *FORMATS)
        self._by_name = {known.name: known for known in reversed(self.formats)}

    @property
    def names(self) -> list[str]:
        """Every name that may be asked for."""
        return [JSON, *FAMILIES, *self._by_name, *TRANSPORTS_BY_NAME]

    def layout(self, name: str) -> Layout:
        """Return what *name* stands for.

        Raises:
            UnknownFormatError: A part of it is no name of ours.
        """
        before, colon, rest = name.partition(":")
        if not colon and before not in TRANSPORTS_BY_NAME:
            return Layout(None, self._formats(name))
        if before not in TRANSPORTS_BY_NAME:
            raise UnknownFormatError(before, self.names)
        return Layout(TRANSPORTS_BY_NAME[before], self._formats(rest))

    def union(self, name: str | None, other: str, *, is_replaced: bool) -> str | None:
        """Return the name of what has lines of both formats.

        Args:
            name: What the lines were taken for.
            other: What some of them are.
            is_replaced: Whether all of them are.

        Returns:
            ``None`` where the two cannot be together.
        """
        layout, more = self.layout(name or JSON), self.layout(other)
        if layout.transport is not None or more.transport is not None:
            return other if is_replaced else None
        both = {known.name for known in (*layout.formats, *more.formats)}
        return "+".join([JSON, *(known.name for known in self.formats if known.name in both)])

    def _formats(self, name: str) -> tuple[TextFormat, ...]:
        parts = [part for part in name.split("+") if part and part != JSON]
        members = [member for part in parts for member in FAMILIES.get(part, (part,))]
        for member in members:
            if member not in self._by_name:
                raise UnknownFormatError(member, self.names)
        chosen = set(members)
        return tuple(known for known in self.formats if known.name in chosen)
