"""Spans to OpenTelemetry, where that was asked for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from logkit.context import bound_fields
from logkit.errors import ConfigurationError
from logkit.pipeline import pipeline
from logkit.setting_values import FALSE, TRUE
from logkit.spans import tracer

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence

    from logkit.exporters.otel import Export
    from logkit.identity import Identity
    from logkit.processors import Processor

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def collector(value: object, environment: Mapping[str, str]) -> str | None:
    """Return where spans go: a base URL, ``""`` for what ``OTEL_*`` say, ``None`` for nowhere.

    Args:
        value: What ``configure()`` was told; ``None`` leaves it to the environment.
        environment: Variables of the process.

    Raises:
        ConfigurationError: *value* is neither a URL of HTTP nor yes or no.
    """
    text = "" if value is None else str(value).strip()
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    if not text:
        is_named = any(environment.get(name) for name in _ENDPOINTS)
        return "" if is_named and environment.get("OTEL_TRACES_EXPORTER") != "none" else None
    if text.lower() in FALSE | TRUE:
        return "" if text.lower() in TRUE else None
    if not text.startswith(("http://", "https://")):
        raise ConfigurationError(
            f"traces is {value!r}; it must be true, false, or an http:// or https:// URL"
        )
    return text


class Tracing:
    """The export of spans of this process."""

    def __init__(self) -> None:
        self._export: Export | None = None
        self._lost_before = 0

    def open(self, url: str, identity: Identity) -> None:
        """Record spans from now on; a missing extra is one warning.

        Args:
            url: Base URL of the collector, or ``""`` for what ``OTEL_*`` say. It does not count
                where the bot has set a TracerProvider for the whole process.
            identity: Who sends.
        """
        try:
            from logkit.exporters.otel import begin
        except ImportError as error:
            fields = {"message": f"no spans: {error}; pip install 'botlogkit[otel]'"}
            _write("warning", "trace_export_unavailable", fields)
            return
        tracer.recorder, self._export = begin(identity, url, _write)

    @property
    def lost_count(self) -> int:
        """Spans that were dropped or did not reach a collector."""
        return self._lost_before + (0 if self._export is None else self._export.lost_count)

    def flush(self, timeout: float) -> bool:
        """Send what waits, for *timeout* seconds at most; return whether all of it was tried."""
        return self._export is None or self._export.flush(timeout)

    def close(self) -> None:
        """Send what waits, for 2 seconds at most, before the process ends."""
        if self._export is not None:
            self._export.close()
            self._lost_before += self._export.lost_count
            self._export = None

    def stop(self) -> None:
        """Send what waits, and record no more."""
        self.close()
        tracer.recorder = None

    def become_child(self) -> None:
        """In a forked child: leave the parent's spans to the parent."""
        self._lost_before = 0
        if self._export is not None:
            self._export.become_child()


tracing = Tracing()
"""The export of this process."""

tracer.count_lost = lambda: tracing.lost_count


def foreign_ids(_: Any, __: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Give an event the ids of the span in which it is logged, if the bot opened that itself."""
    recorder = tracer.recorder
    if recorder is None or event_dict.get("span_id") is not bound_fields.get().get("span_id"):
        return event_dict
    found = recorder.current(event_dict)
    return event_dict if found is None else dict(found[0])


def processors() -> Sequence[Processor]:
    """Return the processors that events have to pass while spans are recorded."""
    return () if tracer.recorder is None else (foreign_ids,)


def _write(level: str, event: str, fields: dict[str, Any]) -> None:
    pipeline.write(level, "logkit", event, fields, time.time_ns())
