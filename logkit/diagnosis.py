"""``diagnose()``: what the process's loggers are set up to do, and what will be lost or doubled."""

from __future__ import annotations

import logging
import logging.handlers
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import structlog

from logkit.levels import STDLIB_NUMBERS, level_of
from logkit.logger import Logger, get_threshold
from logkit.pipeline import pipeline
from logkit.stdlib import PipelineHandler, is_console

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["lost", "twice", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        kind: ``lost`` (events will not be written), ``twice`` (they will be more than once) or
            ``note``.
        logger: Name of the logger, ``root`` for the root.
        text: What is the case and what to do.
    """

    kind: Kind
    logger: str
    text: str


@dataclass(frozen=True, slots=True)
class LoggerState:
    """How one logger is set up.

    Attributes:
        name: Its name.
        level: The mildest level of which it makes records.
        propagates: Whether its records reach the loggers above it.
        handlers: What it hands them to itself.
    """

    name: str
    level: str
    propagates: bool
    handlers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All loggers that are set up in a way of their own, and all findings.

    ``str()`` of it is a report for people.
    """

    loggers: tuple[LoggerState, ...]
    findings: tuple[Finding, ...]

    @property
    def is_healthy(self) -> bool:
        """Whether nothing will be lost or written twice."""
        return all(finding.kind == "note" for finding in self.findings)

    def __str__(self) -> str:
        width = max((len(state.name) for state in self.loggers), default=0)
        lines = ["Loggers with settings of their own:"]
        lines += [
            f"  {state.name:<{width}}  {state.level:<8}  "
            f"{'' if state.propagates else 'does not propagate, '}"
            f"{', '.join(state.handlers) or 'no handlers'}"
            for state in self.loggers
        ]
        lines.append("")
        lines += [f"{f.kind:<5}  {f.logger}: {f.text}" for f in self.findings]
        lines += [] if self.findings else ["Nothing will be lost and nothing is written twice."]
        return "\n".join(lines)


def diagnose() -> Diagnosis:
    """Return how the loggers of this process are set up, and what is wrong with it.

    Call it after everything else has been set up: frameworks change loggers when they start.
    """
    known = [logging.getLogger(), *_loggers()]
    states = [_state(logger) for logger in known if _is_own(logger)]
    findings = list(_of_process())
    if _is_configured():
        findings += [finding for logger in known for finding in _of_logger(logger)]
    return Diagnosis(tuple(states), tuple(findings))


def _loggers() -> Iterator[logging.Logger]:
    for _, logger in sorted(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger):
            yield logger


def _is_own(logger: logging.Logger) -> bool:
    is_set = logger.level != logging.NOTSET or not logger.propagate or logger.disabled
    return is_set or bool(_handlers(logger)) or logger is logging.root


def _state(logger: logging.Logger) -> LoggerState:
    names = tuple(_handler_name(handler) for handler in _handlers(logger))
    return LoggerState(logger.name, level_of(logger.getEffectiveLevel()), logger.propagate, names)


def _handlers(logger: logging.Logger) -> list[logging.Handler]:
    return [handler for handler in logger.handlers if not isinstance(handler, logging.NullHandler)]


def _handler_name(handler: logging.Handler) -> str:
    if isinstance(handler, PipelineHandler):
        return "logkit"
    place = getattr(handler, "baseFilename", None)
    if place is None and is_console(handler):
        place = "console"
    return type(handler).__name__ + (f" ({place})" if place else "")


def _is_configured() -> bool:
    return any(isinstance(handler, PipelineHandler) for handler in logging.root.handlers)


def _of_process() -> Iterator[Finding]:
    if not _is_configured():
        yield Finding("lost", "root", "records of logging do not reach logkit; call configure()")
    if structlog.get_config()["wrapper_class"] is not Logger:
        text = "structlog was configured after logkit, and its events do not reach it"
        yield Finding("lost", "root", text)
    if logging.root.manager.disable >= STDLIB_NUMBERS[get_threshold()]:
        level = level_of(logging.root.manager.disable)
        yield Finding("lost", "root", f"logging.disable() suppresses everything up to {level}")
    if "loguru" in sys.modules:
        text = "loguru is loaded and writes by itself; logger.add() a sink that calls logkit"
        yield Finding("note", "root", text)
    counts = pipeline.counters.snapshot()
    if counts["dropped"] or counts["write_errors"]:
        text = f"{counts['dropped']} events dropped, {counts['write_errors']} failed writes so far"
        yield Finding("lost", "root", text)


def _of_logger(logger: logging.Logger) -> Iterator[Finding]:
    if logger.disabled:
        text = "is disabled, by dictConfig or fileConfig; set disable_existing_loggers to False"
        yield Finding("lost", logger.name, text)
        return
    reaches = _reaches_logkit(logger)
    for handler in _handlers(logger):
        if isinstance(handler, PipelineHandler):
            if logger is not logging.root and logger.propagate:
                yield Finding("twice", logger.name, "has logkit's handler besides the root")
        elif reaches and is_console(handler):
            text = f"{_handler_name(handler)} prints what logkit writes; remove it"
            yield Finding("twice", logger.name, text)
        elif reaches and isinstance(handler, logging.handlers.QueueHandler):
            text = "a QueueHandler hands records on, to be handled elsewhere a second time"
            yield Finding("note", logger.name, text)
    if logger is not logging.root:
        yield from _of_level(logger, reaches)


def _of_level(logger: logging.Logger, reaches: bool) -> Iterator[Finding]:
    if not reaches:
        where = "go to its own handlers only" if _handlers(logger) else "go nowhere"
        text = f"records {where}: it, or a logger above it, does not propagate"
        yield Finding("lost", logger.name, text)
    elif logger.level > STDLIB_NUMBERS[get_threshold()]:
        text = f"makes no records below {level_of(logger.level)}; logkit writes from "
        yield Finding("note", logger.name, f"{text}{get_threshold()}")


def _reaches_logkit(logger: logging.Logger) -> bool:
    current: logging.Logger | None = logger
    while current is not None:
        if any(isinstance(handler, PipelineHandler) for handler in current.handlers):
            return True
        current = current.parent if current.propagate else None
    return False
