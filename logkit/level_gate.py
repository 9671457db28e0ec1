"""Which events are wanted, where loggers differ in level or mild events are kept for errors."""

from __future__ import annotations

import logging
from time import time_ns
from typing import TYPE_CHECKING, Any

from structlog import DropEvent

from logkit.levels import STDLIB_NUMBERS
from logkit.pipeline import pipeline, split

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from logkit.tail import Tail

ALL_LOGGERS = "*"

_ERROR = STDLIB_NUMBERS["error"]
# The line is rendered when it is logged, since its values may change later; its number is given
# when it is written, since seq has no holes.
_NO_NUMBER = b'"seq":0'


class LevelGate:
    """A processor that lets pass what reaches the level of its logger.

    Args:
        level: Level of loggers that have none of their own.
        tail: What keeps milder events, or ``None``.
    """

    def __init__(self, level: str, tail: Tail | None) -> None:
        self.level = level
        self.tail = tail
        self.levels: Mapping[str, str] = {}
        self._former_numbers: dict[str, int] = {}

    @property
    def threshold(self) -> str:
        """The mildest level that anybody wants to see."""
        if self.tail is not None:
            return "debug"
        return min([self.level, *self.levels.values()], key=STDLIB_NUMBERS.__getitem__)

    def set_levels(self, levels: Mapping[str, str]) -> None:
        """Give loggers levels of their own, children included; take back those given before."""
        for name, number in self._former_numbers.items():
            logging.getLogger(name).setLevel(number)
        self.levels = levels
        self._former_numbers = {}
        for name, level in levels.items():
            logger = logging.getLogger(None if name == ALL_LOGGERS else name)
            self._former_numbers[logger.name] = logger.level
            logger.setLevel(STDLIB_NUMBERS["debug" if self.tail else level])

    def __call__(
        self, logger: Any, level: str, event_dict: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Return the event, or raise ``DropEvent`` if it is not wanted or not yet."""
        number = STDLIB_NUMBERS[level]
        is_wanted = number >= STDLIB_NUMBERS[self.level_of(logger)]
        correlation_id = event_dict.get("correlation_id")
        if self.tail is None or not isinstance(correlation_id, str):
            if not is_wanted:
                raise DropEvent
        elif is_wanted:
            if number >= _ERROR:
                self.tail.fail(correlation_id)
        elif not self.tail.has_failed(correlation_id):
            event, fields = split(dict(event_dict))
            line = pipeline.renderer.render(event, fields, level, logger, time_ns(), 0)
            self.tail.keep(correlation_id, line, level)
            raise DropEvent
        return event_dict

    def level_of(self, logger: str) -> str:
        """Return the level of *logger*: its own, its nearest parent's, or that of all."""
        name = logger
        while name and self.levels:
            if name in self.levels:
                return self.levels[name]
            name = name.rpartition(".")[0]
        return self.levels.get(ALL_LOGGERS, self.level)


def write_numbered(line: bytes, level: str) -> None:
    """Write a line that was rendered without a number."""
    before, mark, after = line.rpartition(_NO_NUMBER)
    if mark:
        line = b'%s"seq":%d%s' % (before, pipeline.next_seq(), after)
    pipeline.sink.write(line, level)
