"""The logger that bots call; it is also what structlog's ``get_logger`` returns."""

from __future__ import annotations

import sys
from typing import Any, Self

from logkit.levels import STDLIB_NUMBERS, parse_level
from logkit.pipeline import pipeline
from logkit.processors import prepare

_emit = pipeline.emit


class Logger:
    """A named logger with bound fields, immutable like structlog's.

    Each log method takes an event name and fields. Text with ``%`` placeholders and their values
    is taken too: it becomes the message, and the event name is derived from the text. No log
    method raises or returns anything.
    """

    __slots__ = ("_context", "_name", "_processors")

    def __init__(
        self, logger: Any = "", processors: Any = (), context: dict[str, Any] | None = None
    ) -> None:
        self._name: str = logger if isinstance(logger, str) else getattr(logger, "name", "")
        self._processors = processors
        self._context = prepare(dict(context)) if context else {}

    def __repr__(self) -> str:
        return f"<Logger(name={self._name!r}, context={self._context!r})>"

    def bind(self, /, **fields: Any) -> Self:
        """Return a logger that adds *fields* to each of its events."""
        return type(self)(self._name, self._processors, {**self._context, **fields})

    def unbind(self, *names: str) -> Self:
        """Return a logger without the bound fields *names*.

        Raises:
            KeyError: One of them is not bound.
        """
        missing = [name for name in names if name not in self._context]
        if missing:
            raise KeyError(missing[0])
        return self.try_unbind(*names)

    def try_unbind(self, *names: str) -> Self:
        """Return a logger without the bound fields *names*; names not bound are ignored."""
        kept = {name: value for name, value in self._context.items() if name not in names}
        return type(self)(self._name, self._processors, kept)

    def new(self, /, **fields: Any) -> Self:
        """Return a logger with *fields* in place of all bound fields."""
        return type(self)(self._name, self._processors, fields)

    def debug(self, event: object = None, /, *args: Any, **fields: Any) -> None:
        """Log an event that helps to understand a single run."""
        _emit("debug", self._name, event, args, self._context, fields, None)

    def info(self, event: object = None, /, *args: Any, **fields: Any) -> None:
        """Log an event of normal work."""
        _emit("info", self._name, event, args, self._context, fields, None)

    def warning(self, event: object = None, /, *args: Any, **fields: Any) -> None:
        """Log an event that is odd but was coped with."""
        _emit("warning", self._name, event, args, self._context, fields, None)

    def error(self, event: object = None, /, *args: Any, **fields: Any) -> None:
        """Log a failure; ``exc_info=True`` adds the exception being handled."""
        _emit("error", self._name, event, args, self._context, fields, None)

    def critical(self, event: object = None, /, *args: Any, **fields: Any) -> None:
        """Log a failure that stops the bot."""
        _emit("critical", self._name, event, args, self._context, fields, None)

    def exception(self, event: object = None, /, *args: Any, **fields: Any) -> None:
        """Log a failure with the exception being handled."""
        fields.setdefault("exc_info", True)
        _emit("error", self._name, event, args, self._context, fields, None)

    def log(self, level: int | str, event: object = None, /, *args: Any, **fields: Any) -> None:
        """Log at a level given by its name or by its number in the logging module."""
        try:
            name = parse_level(level)
        except Exception:  # noqa: BLE001 - whatever was given in the place of a level
            name = "info"
        getattr(self, name)(event, *args, **fields)

    msg = info
    warn = warning
    fatal = critical

    @property
    def name(self) -> str:
        """The name of the logger."""
        return self._name

    async def adebug(self, event: object = None, /, *args: Any, **fields: Any) -> None:
        """Do what ``debug`` does; for code that awaits structlog's twins."""
        self.debug(event, *args, **fields)

    async def ainfo(self, event: object = None, /, *args: Any, **fields: Any) -> None:
        """Do what ``info`` does."""
        self.info(event, *args, **fields)

    async def awarning(self, event: object = None, /, *args: Any, **fields: Any) -> None:
        """Do what ``warning`` does."""
        self.warning(event, *args, **fields)

    async def aerror(self, event: object = None, /, *args: Any, **fields: Any) -> None:
        """Do what ``error`` does."""
        self.error(event, *args, **fields)

    async def acritical(self, event: object = None, /, *args: Any, **fields: Any) -> None:
        """Do what ``critical`` does."""
        self.critical(event, *args, **fields)

    async def aexception(self, event: object = None, /, *args: Any, **fields: Any) -> None:
        """Do what ``exception`` does."""
        self.exception(event, *args, **fields)

    async def alog(
        self, level: int | str, event: object = None, /, *args: Any, **fields: Any
    ) -> None:
        """Do what ``log`` does."""
        self.log(level, event, *args, **fields)

    amsg = ainfo
    awarn = awarning
    afatal = acritical

    def is_enabled_for(self, level: int) -> bool:
        """Return whether events of *level* (a number of the logging module) are written."""
        return level >= self.get_effective_level()

    def get_effective_level(self) -> int:
        """Return the number of the mildest level that is written."""
        return STDLIB_NUMBERS[get_threshold()]

    # As the logging module and structlog's logger for it spell them.
    isEnabledFor = is_enabled_for  # noqa: N815
    getEffectiveLevel = get_effective_level  # noqa: N815


def get_logger(name: str | None = None, **fields: Any) -> Logger:
    """Return a logger.

    Args:
        name: Usually ``__name__``, which is also what ``None`` stands for.
        fields: Bound to each event of the logger.
    """
    if name is None:
        name = sys._getframe(1).f_globals.get("__name__", "")
    return Logger(name, context=fields)


_METHODS = {
    level: {name: getattr(Logger, name) for name in (level, *aliases)}
    for level, aliases in (
        ("debug", ()),
        ("info", ("msg",)),
        ("warning", ("warn",)),
        ("error", ("exception",)),
        ("critical", ("fatal",)),
    )
}


def _ignore(self: Logger, event: object = None, /, *args: Any, **fields: Any) -> None:
    pass


def set_threshold(level: str) -> None:
    """Write events from *level* up; the methods below it become empty ones.

    A call that is switched off costs one empty function call, with no level to compare.
    """
    levels = list(STDLIB_NUMBERS)
    for name, methods in _METHODS.items():
        is_on = levels.index(name) >= levels.index(level)
        for method_name, method in methods.items():
            setattr(Logger, method_name, method if is_on else _ignore)


def get_threshold() -> str:
    """Return the mildest level that is written."""
    return next(
        level for level, methods in _METHODS.items() if methods[level] is vars(Logger)[level]
    )


set_threshold("info")
