"""What a live view shows: one event, or one line that is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """An event, or a line that is no event, from one of the files.

    Attributes:
        file: The file's path as the user wrote it.
        offset: Offset of the line's first byte in that file.
        at: When it was written, in UTC; ``None`` if it does not say.
        columns: The fields of the schema that have a value, in the schema's order, without the
            time. A line that is no event has its text as ``message``.
        fields: All other keys as a JSON object; ``None`` if there are none.
        reject_reason: Why the line is no event; ``None`` if it is one.
    """

    file: str
    offset: int
    at: datetime | None
    columns: Mapping[str, Any]
    fields: str | None = None
    reject_reason: str | None = None
