"""The endpoints on a port of their own, from a thread that no event loop can block."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import urlsplit

from logkit.exporters.pages import Answer, safe_answer

_TIMEOUT_S = 5.0
_PAUSE_S = 0.1
_MAX_CLIENTS = 16


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
    request_queue_size = 64

    def __init__(self, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._clients: dict[Any, None] = {}
        super().__init__((host, port), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        try:
            return super().get_request()
        except OSError:  # no descriptors left: whoever waits goes on waiting, so this must not spin
            time.sleep(_PAUSE_S)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer from a thread; the oldest of too many clients, which is slow, is hung up on."""
        self._clients[request] = None
        if len(self._clients) > _MAX_CLIENTS:
            oldest = next(iter(self._clients))
            del self._clients[oldest]
            with suppress(OSError):
                oldest.shutdown(socket.SHUT_RDWR)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._clients.pop(request, None)
        super().shutdown_request(request)

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
            OSError, OverflowError, TypeError, ValueError: There is no such address, or it may not
                be used.
        """
        self._server = _Server(host, port)
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
