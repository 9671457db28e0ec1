"""Which of the events that a live view holds are shown."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from logkit_analysis.errors import UsageError
from logkit_analysis.live.filters import Selection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logkit_analysis.live.event import LiveEvent

# What begins like this was meant as conditions.
_CONDITION = re.compile(r"[^\s=<>!~]+(?:=|!=|~=)\S")

# A call, an arrow to a quoted key or a doubled quote is SQL: no key of a condition has these.
_EXPRESSION = re.compile(r"[^=!~]*['\"()]|.*'[^']+''", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ViewFilter:
    """What is shown of some events.

    Attributes:
        level: The lowest level; ``None`` for all.
        text: A filter as somebody typed it: conditions as ``-f`` takes them, with blanks between,
            or an SQL expression as ``--where`` takes it; empty for none.
        correlation_id: The only one shown; ``None`` for all.
        zone: Name of the zone of times in *text* that name none.

    Raises:
        UsageError: *text* is no filter; says in one line why.
    """

    level: str | None = None
    text: str = ""
    correlation_id: str | None = None
    zone: str = "UTC"
    _selection: Selection = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_selection", _selection(self.level, self.text, self.zone))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should be told about the filter."""
        return self._selection.notes

    def __call__(self, events: Sequence[LiveEvent]) -> Sequence[LiveEvent]:
        """Return those of *events* that are shown.

        Raises:
            UsageError: The SQL expression fails on a value.
        """
        if self.correlation_id is not None:
            events = [
                one for one in events if one.columns.get("correlation_id") == self.correlation_id
            ]
        return self._selection.of_events(events)


def _selection(level: str | None, text: str, zone: str) -> Selection:
    if not text:
        return Selection(level, zone=zone)
    if _EXPRESSION.match(text):
        return Selection(level, where=text, zone=zone)
    try:
        return Selection(level, _words(text), zone=zone)
    except UsageError as no_conditions:
        try:
            return Selection(level, where=text, zone=zone)
        except UsageError as no_expression:
            raise (no_conditions if _CONDITION.match(text) else no_expression) from None


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        # A quote that is not closed, as in key~=can't.
        return text.split()
