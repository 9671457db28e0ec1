"""``configure()``: the only place that joins the parts."""

from __future__ import annotations

import atexit
import os
import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import structlog

from logkit import crashes, forks, frameworks
from logkit.errors import ConfigurationError
from logkit.gates import Gates
from logkit.identity import UNKNOWN_SERVICE
from logkit.levels import parse_level
from logkit.logger import Logger
from logkit.pipeline import choose_renderer, pipeline
from logkit.processors import adapted
from logkit.redaction import secrets
from logkit.setting_values import at_least, path_of, port, yes_or_no
from logkit.sinks.destination import Destination
from logkit.sinks.direct import DirectSink
from logkit.sinks.opening import open_output
from logkit.sinks.outputs import StandardOutput
from logkit.sinks.recovery import recover_left_behind
from logkit.sinks.ring import Owner
from logkit.sinks.ring_files import create, default_directories
from logkit.sinks.ring_sink import RingSink
from logkit.tracing import collector, tracing
from logkit.tracing import processors as tracing_processors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from logkit.processors import Processor
    from logkit.sinks.base import Sink
    from logkit.sinks.outputs import Output

_DEFAULT_BACKUPS = 5
_DEFAULT_RING_BYTES = 8_388_608
_MIN_RING_BYTES = 262_144
_DEFAULT_STATS_INTERVAL_S = 60
_MAX_LABEL = 256
_MILD_LEVELS = {"debug", "info"}


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``configure()`` was told, by arguments or by the environment.

    Attributes:
        service: Logical name of the bot.
        path: Log file, or ``None`` for standard output.
        level: Mildest level that is written.
        max_bytes: Size at which the file is rotated, or ``None`` for never.
        backups: Rotated files that are kept.
        compress: Whether rotated files are compressed.
        ring_dir: Where lines wait until they are written, or ``None`` for shared memory.
        ring_bytes: Bytes of lines that can wait.
        redact: Whether secrets are taken out.
        flood_limit: Events of one name and level a second, or ``None``.
        tail_debug: Whether mild events are kept until their correlation fails.
        levels_file: File that asks for levels by logger, or ``None``.
        levels_signal: Signal that asks for debug from all loggers, or ``None``.
        stats_interval_s: Seconds between events that tell what became of the events; 0 for none.
        env: Deployment environment, or ``None``.
        version: Deployed version, or ``None``.
        signals_port: Port that serves metrics and health, or ``None`` for none.
        signals_host: Address that it listens on.
        traces: Where spans go: a base URL, ``""`` for what ``OTEL_*`` say, ``None`` for nowhere.
    """

    service: str
    path: Path | None
    level: str
    max_bytes: int | None
    backups: int
    compress: bool
    ring_dir: Path | None
    ring_bytes: int
    redact: bool
    flood_limit: int | None
    tail_debug: bool
    levels_file: Path | None
    levels_signal: str | None
    stats_interval_s: int
    env: str | None
    version: str | None
    signals_port: int | None
    signals_host: str
    traces: str | None


_active: Settings | None = None
_gates = Gates()


def configure(
    service: str | None = None,
    *,
    path: str | os.PathLike[str] | None = None,
    level: str | int | None = None,
    max_bytes: int | None = None,
    backups: int | None = None,
    compress: bool | None = None,
    ring_dir: str | os.PathLike[str] | None = None,
    ring_bytes: int | None = None,
    redact: bool | None = None,
    flood_limit: int | None = None,
    tail_debug: bool | None = None,
    levels_file: str | os.PathLike[str] | None = None,
    levels_signal: str | None = None,
    stats_interval_s: int | None = None,
    env: str | None = None,
    version: str | None = None,
    signals_port: int | None = None,
    signals_host: str | None = None,
    traces: str | bool | None = None,
    processors: Sequence[Processor] = (),
) -> None:
    """Make every log call of this process, logkit's, structlog's and logging's, one kind of event.

    A log call copies its line into a ring in shared memory, and a thread writes it out; so no call
    waits for a disk, and what was logged before the process died, by whatever cause, is written
    by the next one that logs to the same place (or by ``python -m logkit recover``). An exception
    that nobody catches, in the main thread or another, is logged as ``uncaught_exception``.

    What is not given comes from environment variables, ``LOGKIT_`` and the name of the argument
    in capitals (``LOGKIT_MAX_BYTES``), then from the defaults. Calling it again with the same
    settings changes nothing but takes loggers over again that a framework has meanwhile set up;
    with other settings it replaces the former ones.

    Args:
        service: Logical name of the bot.
        path: Log file, which may be a FIFO or ``/dev/stdout``; folders that are missing are made.
            Default: standard output, readable on a terminal.
        level: Mildest level that is written. Default: ``info``.
        max_bytes: Rotate the file before it exceeds this size. Default: never.
        backups: Rotated files that are kept, ``path.1`` the newest; at least 1. Default: 5.
        compress: Compress rotated files (``path.1.gz``). Default: no.
        ring_dir: Directory of the ring, in which lines wait until they are written. Default:
            ``/dev/shm``, or the directory for temporary files where that does not exist.
        ring_bytes: Size of the ring, at least 262,144. When it is full, events are dropped and
            counted; an eighth is kept for errors. Default: 8,388,608.
        redact: Take secrets out before lines are written: fields with the name of one, values of
            environment variables named ``*TOKEN``, ``*SECRET``, ``*KEY`` or ``*PASSWORD``, what
            was given to ``register_secret()``, and the tokens of known platforms. Default: yes.
        flood_limit: Events of one name and level that are written in a second. What exceeds it is
            counted, and told by ``events_suppressed``. Default: any number.
        tail_debug: Keep events below *level*, those of libraries too, in memory (up to 4 MiB), and
            write them once an error is logged under the same correlation id. Default: no.
        levels_file: File that changes levels while the bot runs, looked at each second. A line
            ``bot.player debug 10m`` holds for 10 minutes from the last change of the file, ``*``
            means all loggers. Default: none.
        levels_signal: Signal (``SIGUSR1``) that asks for ``debug`` from all loggers for 15 minutes,
            or until it comes again. One that has a handler already is refused. Default: none.
        stats_interval_s: Seconds between events ``logkit_stats``, which tell how many events were
            accepted, written, dropped, suppressed, cut and redacted; after losses one comes at
            once. None comes while nothing is logged, or where *level* is above ``info``; 0 is
            never. Default: 60.
        env: Deployment environment, such as ``production``.
        version: Deployed version.
        signals_port: Serve ``/metrics``, ``/healthz`` and ``/readyz`` on this port (0: any free
            one), from a thread of its own. A port in use is a warning. Default: nothing listens.
        signals_host: Address that it listens on. Default: ``127.0.0.1``.
        traces: Export spans by OpenTelemetry (extra ``otel``): base URL of a collector of OTLP
            over HTTP, or true for the one that ``OTEL_EXPORTER_OTLP_ENDPOINT`` names. A
            TracerProvider that the bot has set before is used in its place. Default: yes where
            that variable is set.
        processors: structlog processors that each event passes before it is rendered; the one
            at the end of structlog's own list, which renders, has to be left out.

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
        compress=compress,
        ring_dir=ring_dir,
        ring_bytes=ring_bytes,
        redact=redact,
        flood_limit=flood_limit,
        tail_debug=tail_debug,
        levels_file=levels_file,
        levels_signal=levels_signal,
        stats_interval_s=stats_interval_s,
        env=env,
        version=version,
        signals_port=signals_port,
        signals_host=signals_host,
        traces=traces,
    )
    former = _active
    if settings != former:
        _apply(settings)
    _gates.open([*tracing_processors(), *map(adapted, processors)])
    take_over_structlog()
    crashes.watch()
    frameworks.watch(lambda: _gates.take_over())
    _show_signals(settings, former)


def flush(timeout: float = 5.0) -> bool:
    """Wait up to *timeout* seconds until every accepted event is written; return whether it is.

    Spans that wait for a collector are sent as well, within the same time.
    """
    until = time.monotonic() + timeout
    is_written = pipeline.sink.flush(timeout)
    return tracing.flush(max(until - time.monotonic(), 0)) and is_written


def stats() -> dict[str, Any]:
    """Return what became of the events of this process.

    ``accepted`` is always the sum of ``written``, ``pending`` and ``dropped``;
    ``dropped_by_level`` splits the last one. ``spans_dropped`` counts the spans that did not
    reach the collector.
    """
    return {**pipeline.counters.snapshot(), "spans_dropped": tracing.lost_count}


def _settings(environment: Mapping[str, str], **given: Any) -> Settings:
    def value(name: str, default: Any = None) -> Any:
        if given[name] is not None:
            return given[name]
        return environment.get(f"LOGKIT_{name.upper()}") or default

    max_bytes, flood_limit = value("max_bytes"), value("flood_limit")
    signals_port = value("signals_port")
    return Settings(
        service=value("service", UNKNOWN_SERVICE),
        path=path_of(value("path")),
        level=parse_level(value("level", "info")),
        max_bytes=None if max_bytes is None else at_least(1, "max_bytes", max_bytes),
        backups=at_least(1, "backups", value("backups", _DEFAULT_BACKUPS)),
        compress=yes_or_no("compress", value("compress", False)),
        ring_dir=path_of(value("ring_dir")),
        ring_bytes=at_least(
            _MIN_RING_BYTES, "ring_bytes", value("ring_bytes", _DEFAULT_RING_BYTES)
        ),
        redact=yes_or_no("redact", value("redact", True)),
        flood_limit=None if flood_limit is None else at_least(1, "flood_limit", flood_limit),
        tail_debug=yes_or_no("tail_debug", value("tail_debug", False)),
        levels_file=path_of(value("levels_file")),
        levels_signal=value("levels_signal"),
        stats_interval_s=at_least(
            0, "stats_interval_s", value("stats_interval_s", _DEFAULT_STATS_INTERVAL_S)
        ),
        env=value("env"),
        version=value("version"),
        signals_port=None if signals_port is None else port(signals_port),
        signals_host=value("signals_host", "127.0.0.1"),
        traces=collector(value("traces"), environment),
    )


def _apply(settings: Settings) -> None:
    global _active, _gates
    identity = replace(
        pipeline.identity, service=settings.service, env=settings.env, version=settings.version
    )
    secrets.is_on = settings.redact
    secrets.protect(settings.service, identity.host, settings.env, settings.version)
    _active = None
    _gates.close()
    _gates = Gates(
        settings.level,
        flood_limit=settings.flood_limit,
        tail_debug=settings.tail_debug,
        levels_file=settings.levels_file,
        levels_signal=settings.levels_signal,
    )
    sink = _open_sink(settings)
    former, pipeline.sink = pipeline.sink, sink
    pipeline.identity = identity
    pipeline.renderer = choose_renderer(
        identity, pipeline.counters, is_file=settings.path is not None
    )
    tracing.stop()
    former.close()
    if settings.traces is not None:
        tracing.open(settings.traces, identity)
    _active = settings


def _show_signals(settings: Settings, former: Settings | None) -> None:
    """Serve what was asked for; a bot that asks for nothing does not even load it."""
    address = settings.signals_host, settings.signals_port
    shown = (None, None) if former is None else (former.signals_host, former.signals_port)
    if address == shown or shown[1] is None is address[1]:
        return
    from logkit.signals import signals

    if settings.signals_port is None:
        signals.stop()
    else:
        signals.serve(settings.signals_host, settings.signals_port)


def _open_sink(settings: Settings) -> Sink:
    path = None if settings.path is None else os.fspath(settings.path)
    destination = Destination(
        settings.service[:_MAX_LABEL],
        path,
        max_bytes=settings.max_bytes,
        backups=settings.backups,
        compress=settings.compress,
    )
    output = _open_output(destination)
    if isinstance(output, StandardOutput) or sys.platform == "win32":
        return DirectSink(output, pipeline.counters)
    directories = _ring_directories(settings.ring_dir)
    sink = RingSink(
        output,
        pipeline.counters,
        create_ring=lambda: create(
            directories,
            settings.ring_bytes,
            Owner(
                pipeline.identity.instance,
                time.time(),
                destination,
                secret_variables=secrets.names() if settings.redact else [],
                registered_secrets=secrets.registered_count if settings.redact else 0,
            ),
        ),
        recover=lambda output: recover_left_behind(directories, destination, output),
        report=pipeline.report,
        stats_interval_s=settings.stats_interval_s if settings.level in _MILD_LEVELS else 0,
    )
    sink.start()
    return sink


def _open_output(destination: Destination) -> Output:
    try:
        return open_output(destination, pipeline.counters)
    except OSError as error:
        raise ConfigurationError(
            f"cannot open log file {destination.path!r}: {error.strerror}"
        ) from error


def _ring_directories(ring_dir: Path | None) -> list[Path]:
    if ring_dir is None:
        return default_directories()
    try:
        ring_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"cannot use ring_dir {str(ring_dir)!r}: {error}") from error
    if not os.access(ring_dir, os.W_OK | os.X_OK):
        raise ConfigurationError(f"ring_dir {str(ring_dir)!r} is not writable")
    return [ring_dir]


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
    _gates.close()
    tracing.close()
    pipeline.sink.close()


def _become_child() -> None:
    _gates.become_child()
    tracing.become_child()


forks.in_child(_become_child)
