"""What was asked for to hold events back: flood limit, tail sampling, levels by logger.

Gates stand behind the bot's own processors, and only while they have something to do: an event of
a bot that has asked for none passes nothing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from logkit import stdlib
from logkit.flood import FloodGate
from logkit.level_file import LevelFile
from logkit.level_gate import LevelGate, write_numbered
from logkit.level_signal import LevelSignal
from logkit.level_watch import LevelWatch
from logkit.logger import set_threshold
from logkit.pipeline import pipeline, split
from logkit.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence
    from pathlib import Path

    from logkit.level_watch import LevelSource
    from logkit.processors import Processor


class Gates:
    """The gates of this process.

    Args:
        level: Level of loggers that have none of their own.
        flood_limit: Events of one name and level a second, or ``None`` for any number.
        tail_debug: Whether mild events are kept and written once their correlation fails.
        levels_file: File that asks for levels by logger, or ``None``.
        levels_signal: Name of the signal that asks for debug from all loggers, or ``None``.

    Raises:
        ConfigurationError: The signal cannot be had.
    """

    def __init__(
        self,
        level: str = "info",
        *,
        flood_limit: int | None = None,
        tail_debug: bool = False,
        levels_file: Path | None = None,
        levels_signal: str | None = None,
    ) -> None:
        counters = pipeline.counters
        self._own: Sequence[Processor] = ()
        self._flood = (
            None if flood_limit is None else FloodGate(flood_limit, counters, _warn, _observe)
        )
        self._levels = LevelGate(level, Tail(counters, write_numbered) if tail_debug else None)
        self._signal = None if levels_signal is None else LevelSignal(levels_signal)
        self._sources: list[LevelSource] = [
            *([] if levels_file is None else [LevelFile(levels_file, _reject)]),
            *([] if self._signal is None else [self._signal]),
        ]
        self._watch: LevelWatch | None = None

    def open(self, own: Sequence[Processor]) -> None:
        """Put the gates behind the bot's *own* processors."""
        self._own = own
        self._stand()
        self.take_over()
        if self._watch is None:
            self._start_watch()

    def take_over(self) -> None:
        """Make the loggers of the logging module hand over what anybody wants to see."""
        stdlib.take_over("debug" if self._levels.tail else self._levels.level)
        self._levels.set_levels(self._levels.levels)

    def close(self) -> None:
        """Tell what was suppressed, and give loggers back the levels they had."""
        if self._watch is not None:
            self._watch.stop()
        if self._signal is not None:
            self._signal.remove()
        self._levels.set_levels({})
        if self._flood is not None:
            self._flood.summarise()

    def become_child(self) -> None:
        """In a forked child: forget what the parent has counted and kept."""
        for part in (self._flood, self._levels.tail):
            if part is not None:
                part.become_child()
        if self._watch is not None:
            self._start_watch()

    def _start_watch(self) -> None:
        if self._sources:
            self._watch = LevelWatch(self._sources, self._change_levels)
            self._watch.start()

    def _change_levels(self, levels: Mapping[str, str]) -> None:
        self._levels.set_levels(levels)
        self._stand()
        said = [f"{name}={level}" for name, level in levels.items()]
        fields = {"levels": " ".join(said)}
        _write("info", "log_levels_changed", fields)

    def _stand(self) -> None:
        gates: list[Processor] = []
        if self._levels.tail is not None or self._levels.levels:
            gates.append(self._levels)
        if self._flood is not None:
            gates.append(self._flood)
        pipeline.processors[:] = [*self._own, *gates]
        set_threshold(self._levels.threshold)


def is_gate(processor: Processor) -> bool:
    """Return whether *processor* holds events back because ``configure()`` was asked to."""
    return isinstance(processor, FloodGate | LevelGate)


def _warn(event: str, fields: dict[str, Any]) -> None:
    _write("warning", event, fields)


def _observe(level: str, event_dict: MutableMapping[str, Any]) -> None:
    if pipeline.observe is not None:
        event, fields = split(dict(event_dict))
        pipeline.observe(event, level, fields)


def _reject(reason: str) -> None:
    _warn("log_level_rejected", {"reason": reason})


def _write(level: str, event: str, fields: dict[str, Any]) -> None:
    pipeline.write(level, "logkit", event, fields, time.time_ns())
