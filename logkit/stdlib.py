"""The standard logging module: its records become the same events."""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
from dataclasses import replace
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING, Any

from pythonjsonlogger.core import BaseJsonFormatter

from logkit import libraries
from logkit.exceptions import exception_of
from logkit.levels import STDLIB_NUMBERS, level_of, parse_level
from logkit.loop_errors import fields_of_culprit
from logkit.names import describe, known_names
from logkit.origins import fields_of
from logkit.pipeline import pipeline, reason_of, split
from logkit.processors import prepare
from logkit.redaction import redact
from logkit.renderers import JsonRenderer

if TYPE_CHECKING:
    from io import TextIOWrapper

    from logkit.identity import Identity

FRAMEWORK_LOGGERS = (
    *("uvicorn", "gunicorn", "hypercorn", "celery"),
    *("discord", "disnake", "nextcord", "hikari"),
    *("aiogram", "telegram", "pyrogram", "telethon", "slack_bolt", "slack_sdk"),
)
"""Libraries that print through handlers of their own unless somebody takes those away."""

_SELF_PRINTING = (
    *("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"),
    *("gunicorn.error", "gunicorn.access"),
)

_RECORD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {
    "asctime",
    "message",
    "taskName",
    "_logkit_seq",
}
# What uvicorn, celery and aiohttp add for formatters of their own: the message and its fields
# say it.
_SURPLUS_EXTRA = ("color_message", "data")
_SURPLUS_OF_AIOHTTP = (
    *("remote_address", "request_start_time", "process_id", "first_request_line"),
    *("response_status", "response_size", "request_header", "response_header"),
    *("request_time", "request_time_frac", "request_time_micro"),
)
_NO_CONTEXT: dict[str, Any] = {}
_LEVEL_NAMES = {number: name for name, number in STDLIB_NUMBERS.items()}
_UNREADABLE = "log_record_unreadable"
_emit = pipeline.emit


class PipelineHandler(logging.Handler):
    """Hands each record to the pipeline, so that it becomes an event like any other."""

    def handle(self, record: logging.LogRecord) -> bool:
        """Emit *record* if the filters let it pass, without the lock of other handlers."""
        passed = self.filter(record) if self.filters else True
        if passed:
            self.emit(record if passed is True else passed)
        return bool(passed)

    def emit(self, record: logging.LogRecord) -> None:
        """Emit *record*. Never raises."""
        try:
            template, args, fields = record_parts(record)
            created_ns = int(record.created * 1e9)
            level = _LEVEL_NAMES.get(record.levelno) or level_of(record.levelno)
        except Exception as error:  # noqa: BLE001 - a record that somebody made by hand
            pipeline.rescue("error", "logkit", _UNREADABLE, error)
        else:
            _emit(level, record.name, template, args, _NO_CONTEXT, fields, created_ns)


def record_parts(record: logging.LogRecord) -> tuple[object, Any, dict[str, Any]]:
    """Return template, placeholder values and fields of a record.

    Fields are what ``extra={}`` added, the exception, and what the template of a known library
    names.
    """
    fields = {k: v for k, v in vars(record).items() if k not in _RECORD_ATTRIBUTES}
    if record.exc_info:
        fields["exc_info"] = record.exc_info
    elif record.exc_text:
        fields["error_stack"] = record.exc_text
    if record.stack_info:
        fields["stack_info"] = record.stack_info
    template, args = record.msg, record.args or ()
    # No library's text looks like an event name, so the look-up can be done without.
    is_name = type(template) is str and template in known_names
    is_own = is_name and not args and not record.exc_info
    known = None if is_own else libraries.recognise(record)
    if known is None:
        return template, args, fields
    _, message = describe(template, args, record.name)
    event, named = known
    if event == "uncaught_exception":
        named = {**fields_of_culprit(), **fields_of(exception_of(record.exc_info))}
    is_of_aiohttp = record.name == "aiohttp.access"
    for name in (*_SURPLUS_EXTRA, *(_SURPLUS_OF_AIOHTTP if is_of_aiohttp else ())):
        fields.pop(name, None)
    return event, (), {"message": message, **named, **fields}


class JsonFormatter(BaseJsonFormatter):
    """Formats each record as one logkit event, for bots that keep ``logging.config.dictConfig``.

    Args:
        service: Service of the events; by default ``LOGKIT_SERVICE``, then that of
            ``configure()``. A ``%``-format, which dictConfig passes in this place, is ignored:
            an event's fields do not depend on it.
        options: Options of python-json-logger. ``static_fields`` and ``defaults`` add fields.
    """

    def __init__(self, service: str | None = None, *args: Any, **options: Any) -> None:
        super().__init__(None, *args, **options)
        is_format = service is not None and "%" in service
        self._service = (None if is_format else service) or os.environ.get("LOGKIT_SERVICE")
        self._rendering: tuple[Identity, JsonRenderer] | None = None

    def format(self, record: logging.LogRecord) -> str:
        """Return the event as a line of JSON without its newline. Never raises."""
        try:
            line = self._line(record)
        except Exception as error:  # noqa: BLE001 - a record, or a subclass, of the bot's own
            fields = {"logkit_error": reason_of(error)}
            parts = _UNREADABLE, fields, "error", "logkit", time_ns(), pipeline.next_seq()
            line = self._renderer().render(*parts)
        line, redacted = redact(line)
        if redacted:
            with pipeline.counters.lock:
                pipeline.counters.redacted += redacted
        return self.prefix + line[:-1].decode()

    def _line(self, record: logging.LogRecord) -> bytes:
        template, args, fields = record_parts(record)
        static = {**self.defaults, **self.static_fields}
        log_data = pipeline.event_dict(record.name, template, args, prepare(static), fields)
        event, others = split(self.process_log_record(log_data))
        level, created_ns = level_of(record.levelno), int(record.created * 1e9)
        renderer = self._renderer()
        return renderer.render(event, others, level, record.name, created_ns, _seq_of(record))

    def _renderer(self) -> JsonRenderer:
        identity = pipeline.identity
        if self._rendering is None or self._rendering[0] is not identity:
            own = replace(identity, service=self._service or identity.service)
            self._rendering = (identity, JsonRenderer(own, pipeline.counters))
        return self._rendering[1]


class LogFileHandler(logging.handlers.WatchedFileHandler):
    """A file of mode 0640, opened again when logrotate has moved it."""

    def _open(self) -> TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        return os.fdopen(descriptor, "a", encoding="utf-8")


def dict_config(
    service: str, *, path: str | os.PathLike[str] | None = None, level: str | int = "info"
) -> dict[str, Any]:
    """Return a configuration for ``logging.config.dictConfig`` that writes logkit events.

    Args:
        service: Service of the events.
        path: Log file; ``None`` is standard output.
        level: Level of the root logger.

    Raises:
        ConfigurationError: There is no such level.
    """
    target = (
        {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"}
        if path is None
        else {"class": "logkit.stdlib.LogFileHandler", "filename": os.fspath(path)}
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"logkit": {"()": "logkit.JsonFormatter", "service": service}},
        "handlers": {"logkit": {**target, "formatter": "logkit"}},
        # Handlers of their own would print what the root writes.
        "loggers": {name: {"handlers": [], "propagate": True} for name in _SELF_PRINTING},
        "root": {"level": parse_level(level).upper(), "handlers": ["logkit"]},
    }


def take_over(level: str) -> None:
    """Make the root logger hand its records to the pipeline, once, and nobody print them twice.

    Console handlers of the root logger and of known frameworks are taken away; file handlers,
    handlers of a test runner or an error tracker stay. Frameworks' loggers propagate to the root.
    """
    root = logging.getLogger()
    for handler in list(root.handlers):
        # By name: after importlib.reload() the former handler is of a class of its own.
        if type(handler).__name__ == PipelineHandler.__name__ or is_console(handler):
            root.removeHandler(handler)
    root.addHandler(PipelineHandler())
    root.setLevel(STDLIB_NUMBERS[level])
    for name in list(root.manager.loggerDict):
        if name.partition(".")[0] in FRAMEWORK_LOGGERS:
            _let_propagate(logging.getLogger(name))


def _let_propagate(logger: logging.Logger) -> None:
    for handler in list(logger.handlers):
        if is_console(handler):
            logger.removeHandler(handler)
    logger.propagate = True


def is_console(handler: logging.Handler) -> bool:
    """Return whether *handler* prints to standard output or standard error."""
    # rich's handler, which several bot frameworks install, is no StreamHandler.
    if type(handler).__name__ == "RichHandler":
        return True
    consoles = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    return isinstance(handler, logging.StreamHandler) and handler.stream in consoles


def _seq_of(record: logging.LogRecord) -> int:
    """Return the record's number in this instance, the same for every handler that formats it."""
    seq: int | None = vars(record).get("_logkit_seq")
    if seq is None:
        seq = vars(record)["_logkit_seq"] = pipeline.next_seq()
    return seq
