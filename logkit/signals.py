"""Signals: metrics and health shown to whoever watches the bot; nothing listens unless asked."""

from __future__ import annotations

import errno
from asyncio import _get_running_loop as _running_loop
from contextlib import suppress
from typing import Any

from logkit import forks
from logkit.exporters.asgi import AsgiApp, app
from logkit.exporters.http import SignalsServer
from logkit.exporters.pages import MISSING_EXTRA
from logkit.loops import loops
from logkit.metrics import deriver
from logkit.periodic import Periodic
from logkit.pipeline import pipeline
from logkit.reports import report, report_failure

_STANDBY_S = 2.0


class Signals:
    """What this process shows.

    Attributes:
        server: The server, or ``None`` while there is none.
    """

    def __init__(self) -> None:
        self.server: SignalsServer | None = None
        self._address: tuple[str, int] | None = None
        self._files: Periodic | None = None
        self._standby = Periodic("logkit-standby", _STANDBY_S, self._take_over, self._fail)

    def attach(self) -> None:
        """Begin to derive metrics from events, and to show them in prometheus-client's registry."""
        pipeline.observe = _find_loop_and_observe
        try:
            from logkit.exporters import multiprocess, prometheus
        except ImportError:
            report("warning", "signals_extra_missing", message=MISSING_EXTRA.strip())
            return
        prometheus.attach()
        folder = multiprocess.folder()
        if folder is not None and self._files is None:
            files = multiprocess.SharedFiles(folder)
            self._files = Periodic(
                "logkit-metrics", multiprocess.INTERVAL_S, files.write, self._fail
            )
            self._files.start()

    def serve(self, host: str, port: int) -> None:
        """Serve the endpoints; where that is impossible, log a warning and go on.

        In multi-process mode one worker of all serves, and another takes over when it is gone.
        """
        self.stop()
        self.attach()
        self._address = host, port
        if self._files is not None:
            self._standby.start()
            return
        try:
            self._listen(host, port)
        except (OSError, OverflowError, TypeError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            report(
                "warning",
                "signals_not_served",
                message=f"nothing is served on {host}:{port}: {reason}",
                port=port,
            )

    def stop(self) -> None:
        """Serve no more."""
        self._standby.stop()
        self._address = None
        if self.server is not None:
            self.server.stop()
            self.server = None

    def become_child(self) -> None:
        """In a forked child: the port is the parent's."""
        if pipeline.observe is not None:
            pipeline.observe = _find_loop_and_observe
        if self.server is not None:
            self.server.abandon()
            self.server = None

    def _listen(self, host: str, port: int) -> None:
        self.server = SignalsServer(host, port)
        self.server.start()
        report("info", "signals_served", address=f"{host}:{self.server.port}")

    def _take_over(self) -> None:
        if self.server is None and self._address is not None:
            try:
                self._listen(*self._address)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise

    def _fail(self, error: Exception) -> None:
        report_failure("signals", error)


def _find_loop_and_observe(event: str, level: str, fields: dict[str, Any]) -> None:
    """Count events, and watch the first event loop in which one is logged.

    ``configure()`` is usually called before the loop runs.
    """
    if _running_loop() is not None:
        pipeline.observe = deriver.observe
        with suppress(RuntimeError):  # there can be no more threads
            loops.watch()
    deriver.observe(event, level, fields)


signals = Signals()
"""The signals of this process."""


def asgi_app() -> AsgiApp:
    """Return an ASGI application with ``/metrics``, ``/healthz`` and ``/readyz``, to be mounted.

    Metrics are derived from events from now on. It answers in the bot's own event loop: what
    hangs that loop hangs it as well, unlike ``configure(signals_port=...)``.
    """
    signals.attach()
    return app


forks.in_child(signals.become_child)
