"""The flood limit: no more than so many events of one name a second."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from structlog import DropEvent

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from logkit.counters import Counters

_SUMMARY_S = 10.0
_MAX_NAMES = 4_096

_Key = tuple[str, str]


class FloodGate:
    """A processor that suppresses what exceeds the limit, counts it, and tells of it.

    Each level of a name has a budget of its own, so a flood of infos never hides an error. In a
    second with more than 4,096 names, the budget of the later ones is not counted.

    Args:
        limit: Events a second that pass.
        counters: Where suppressed events are counted.
        tell: Logs a warning, given its name and fields.
        observe: Gets level and event dict of what is suppressed, so that figures stay whole.
    """

    def __init__(
        self,
        limit: int,
        counters: Counters,
        tell: Callable[[str, dict[str, Any]], None],
        observe: Callable[[str, MutableMapping[str, Any]], None],
    ) -> None:
        self._limit = limit
        self._counters = counters
        self._tell = tell
        self._observe = observe
        self.become_child()

    def become_child(self) -> None:
        """Start anew: what the parent of a forked child has suppressed, the parent tells."""
        self._passed: dict[_Key, int] = {}
        self._suppressed: dict[_Key, int] = {}
        self._second_ends_at = self._tells_at = 0.0

    def __call__(
        self,
        logger: Any,  # noqa: ARG002 - part of structlog's protocol
        level: str,
        event_dict: MutableMapping[str, Any],
    ) -> MutableMapping[str, Any]:
        """Return the event, or raise ``DropEvent`` if there were too many of its name."""
        now = monotonic()
        if now >= self._second_ends_at:
            self._start_second(now)
        key = level, str(event_dict.get("event"))
        passed = self._passed.get(key, 0)
        if passed >= self._limit:
            self._suppress(key, now)
            self._observe(level, event_dict)
            raise DropEvent
        if passed or len(self._passed) < _MAX_NAMES:
            self._passed[key] = passed + 1
        return event_dict

    def summarise(self) -> None:
        """Log one ``events_suppressed`` for each name of which events were suppressed."""
        with self._counters.lock:
            suppressed, self._suppressed = self._suppressed, {}
        for (level, event), count in suppressed.items():
            self._tell(
                "events_suppressed",
                {"suppressed_event": event, "suppressed_level": level, "suppressed": count},
            )

    def _start_second(self, now: float) -> None:
        self._second_ends_at = now + 1.0
        self._passed = {}
        if self._suppressed and now >= self._tells_at:
            self.summarise()

    def _suppress(self, key: _Key, now: float) -> None:
        with self._counters.lock:
            if not self._suppressed:
                self._tells_at = now + _SUMMARY_S
            self._suppressed[key] = self._suppressed.get(key, 0) + 1
            self._counters.suppressed += 1
