"""``configure()``: the only place that joins the parts."""

from __future__ import annotations

import atexit
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from logkit import stdlib
from logkit.errors import ConfigurationError
from logkit.identity import UNKNOWN_SERVICE
from logkit.levels import parse_level
from logkit.logger import Logger, set_threshold
from logkit.outputs import RotatingFile, StandardOutput
from logkit.pipeline import choose_renderer, pipeline
from logkit.sinks import DirectSink

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from logkit.outputs import Output
    from logkit.processors import Processor

_DEFAULT_BACKUPS = 5


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``configure()`` was told, by arguments or by the environment.

    Attributes:
        service: Logical name of the bot.
        path: Log file, or ``None`` for standard output.
        level: Mildest level that is written.
        max_bytes: Size at which the file is rotated, or ``None`` for never.
        backups: Rotated files that are kept.
        env: Deployment environment, or ``None``.
        version: Deployed version, or ``None``.
    """

    service: str
    path: Path | None
    level: str
    max_bytes: int | None
    backups: int
    env: str | None
    version: str | None


_active: Settings | None = None


def configure(
    service: str | None = None,
    *,
    path: str | os.PathLike[str] | None = None,
    level: str | int | None = None,
    max_bytes: int | None = None,
    backups: int | None = None,
    env: str | None = None,
    version: str | None = None,
    processors: Sequence[Processor] = (),
) -> None:
    """Make every log call of this process, logkit's, structlog's and logging's, one kind of event.

    What is not given comes from ``LOGKIT_SERVICE``, ``LOGKIT_PATH``, ``LOGKIT_LEVEL``,
    ``LOGKIT_MAX_BYTES``, ``LOGKIT_BACKUPS``, ``LOGKIT_ENV`` and ``LOGKIT_VERSION``, then from the
    defaults. Calling it again with the same settings changes nothing but takes loggers over again
    that a framework has meanwhile set up; with other settings it replaces the former ones.

    Args:
        service: Logical name of the bot.
        path: Log file, which may be a FIFO. Default: standard output, readable on a terminal.
        level: Mildest level that is written. Default: ``info``.
        max_bytes: Rotate the file before it exceeds this size. Default: never.
        backups: Rotated files that are kept, ``path.1`` the newest; at least 1. Default: 5.
        env: Deployment environment, such as ``production``.
        version: Deployed version.
        processors: structlog processors that each event passes before it is rendered.

    Raises:
        ConfigurationError: A value cannot be used, or the file cannot be opened.
    """
    settings = _settings(
        os.environ,
        service=service,
        path=path,
        level=level,
        max_bytes=max_bytes,
        backups=backups,
        env=env,
        version=version,
    )
    pipeline.processors[:] = processors
    if settings != _active:
        _apply(settings)
    set_threshold(settings.level)
    stdlib.take_over(settings.level)
    take_over_structlog()


def flush(timeout: float = 5.0) -> bool:
    """Wait up to *timeout* seconds until every accepted event is written; return whether it is."""
    return pipeline.sink.flush(timeout)


def stats() -> dict[str, Any]:
    """Return what became of the events of this process.

    ``accepted`` is always the sum of ``written``, ``pending`` and ``dropped``;
    ``dropped_by_level`` splits the last one.
    """
    return pipeline.counters.snapshot()


def _settings(environment: Mapping[str, str], **given: Any) -> Settings:
    def value(name: str, default: Any = None) -> Any:
        if given[name] is not None:
            return given[name]
        return environment.get(f"LOGKIT_{name.upper()}") or default

    path = value("path")
    max_bytes = value("max_bytes")
    return Settings(
        service=value("service", UNKNOWN_SERVICE),
        path=None if path is None else Path(path).expanduser().absolute(),
        level=parse_level(value("level", "info")),
        max_bytes=None if max_bytes is None else _at_least_one("max_bytes", max_bytes),
        backups=_at_least_one("backups", value("backups", _DEFAULT_BACKUPS)),
        env=value("env"),
        version=value("version"),
    )


def _at_least_one(name: str, value: Any) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if number < 1:
        raise ConfigurationError(f"{name} is {value!r}; it must be a whole number of at least 1")
    return number


def _apply(settings: Settings) -> None:
    global _active
    output = _open_output(settings)
    pipeline.sink.close()
    pipeline.identity = replace(
        pipeline.identity, service=settings.service, env=settings.env, version=settings.version
    )
    pipeline.renderer = choose_renderer(pipeline.identity, is_file=settings.path is not None)
    pipeline.sink = DirectSink(output, pipeline.counters)
    _active = settings


def _open_output(settings: Settings) -> Output:
    if settings.path is None:
        return StandardOutput()
    output = RotatingFile(settings.path, max_bytes=settings.max_bytes, backups=settings.backups)
    try:
        output.open()
    except OSError as error:
        raise ConfigurationError(
            f"cannot open log file {str(settings.path)!r}: {error.strerror}"
        ) from error
    return output


def take_over_structlog() -> None:
    """Make structlog's loggers hand their calls to the pipeline."""
    structlog.configure(
        processors=pipeline.processors,
        wrapper_class=Logger,
        logger_factory=_logger_name,
        context_class=dict,
        cache_logger_on_first_use=True,
    )
    # Private to structlog, but get_contextvars() would walk through all variables of the context
    # with each event.
    pipeline.foreign_variables = getattr(structlog.contextvars, "_CONTEXT_VARS", {})


def _logger_name(*args: Any) -> str:
    return str(args[0]) if args else ""


@atexit.register
def _close() -> None:
    pipeline.sink.close()
