"""How often we look, and how long a silence must be to mean something."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self


@dataclass(frozen=True, slots=True)
class Pace:
    """All waits of ``follow``, in seconds.

    Attributes:
        commit_interval_s: From the start of a cycle to the next one, at least.
        look_interval_s: Without any notice of a change we look after so long.
        poll_interval_s: The same where no notice will come.
        settle_s: A renamed file is kept open until its writer, who may not know yet, has been
            silent so long; a file that may be a copy in the making is watched as long before it
            counts as another file.
        longest_doubt_s: How long that may take altogether.
        still_s: A compressed file that has not changed for so long is not being written.
        record_silence_s: A record that later lines may continue is whole after such a silence.
        report_interval_s: How often we say how far we are.
    """

    commit_interval_s: float = 0.2
    look_interval_s: float = 1.0
    poll_interval_s: float = 0.25
    settle_s: float = 5.0
    longest_doubt_s: float = 30.0
    still_s: float = 2.0
    record_silence_s: float = 1.0
    report_interval_s: float = 60.0

    def times(self, factor: float) -> Self:
        """Return a pace whose every wait is *factor* times as long."""
        waits = {field.name: getattr(self, field.name) * factor for field in fields(self)}
        return replace(self, **waits)
