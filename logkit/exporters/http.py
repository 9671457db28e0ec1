"""The endpoints on a port of their own, from a thread that no event loop can block."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import urlsplit

from logkit.exporters.pages import Answer, safe_answer

_TIMEOUT_S = 5.0


class _Handler(BaseHTTPRequestHandler):
    # A client that sends nothing more gives its thread back.
    timeout = _TIMEOUT_S
    server_version = "logkit"
    sys_version = ""

    def do_GET(self) -> None:
        self._send(safe_answer(urlsplit(self.path).path, self.headers.get("Accept", "")))

    do_HEAD = do_GET  # noqa: N815 - the name that http.server calls

    def _send(self, told: Answer) -> None:
        self.send_response(told.status)
        self.send_header("Content-Type", told.content_type)
        self.send_header("Content-Length", str(len(told.body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(told.body)

    def log_message(self, *args: Any) -> None:
        """Say nothing: standard error is the bot's."""


class _Server(ThreadingTCPServer):
    # Not HTTPServer, which asks DNS for the name of the address it binds.
    daemon_threads = True
    # A restarted bot has its port back at once.
    allow_reuse_address = True
    request_queue_size = 16

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that hangs up is no news."""


class SignalsServer:
    """Serves ``/metrics``, ``/healthz`` and ``/readyz`` until it is stopped.

    Attributes:
        port: Port that it listens on.
    """

    def __init__(self, host: str, port: int) -> None:
        """Listen.

        Raises:
            OSError: The port is in use, or may not be used.
        """
        self._server = _Server((host, port), _Handler)
        self._host = host
        self._is_stopped = False
        self.port: int = self._server.server_address[1]

    def start(self) -> None:
        """Answer from a thread of its own."""
        threading.Thread(target=self._run, name="logkit-signals", daemon=True).start()

    def stop(self) -> None:
        """Answer no more, and give the port back."""
        self._is_stopped = True
        # The thread waits in select() for the next client; this one lets it see the flag.
        with suppress(OSError):
            socket.create_connection((self._host, self.port), _TIMEOUT_S).close()
        self._server.server_close()

    def abandon(self) -> None:
        """In a forked child: close the socket that the parent listens on."""
        self._server.socket.close()

    def _run(self) -> None:
        while not self._is_stopped:
            with suppress(OSError, ValueError):  # the socket was closed meanwhile
                self._server.handle_request()
