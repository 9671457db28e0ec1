"""A real HTTP server on loopback that answers as it is told."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server does with one request.

    Attributes:
        status: HTTP status.
        body: Text, bytes, or anything that JSON can say.
        headers: Headers besides those of the body.
        fault: ``hang`` (no answer until the server stops), ``reset`` (the connection is reset at
            once) or ``cut`` (it is reset in the middle of the body).
    """

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    fault: str = ""


class Loopback:
    """The server: ``answers`` are used up first to last, then it answers 200 with ``{}``."""

    def __init__(self) -> None:
        self.answers: deque[Answer] = deque()
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}"

    def will(self, *answers: Answer) -> None:
        """Answer the next requests so."""
        self.answers.extend(answers)

    def stop(self) -> None:
        """Let every connection go and end the server's threads."""
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(loopback: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (OSError, ValueError):  # the connection is gone
                self.close_connection = True

        def answer(self) -> None:
            length = int(self.headers.get("content-length", 0))
            self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            loopback.requests.append((self.command, self.path, headers))
            answer = loopback.answers.popleft() if loopback.answers else Answer()
            if answer.fault in {"hang", "reset"}:
                if answer.fault == "hang":
                    loopback.stopped.wait(30)
                self._reset()
                return
            is_plain = isinstance(answer.body, str | bytes)
            raw = answer.body if is_plain else json.dumps(answer.body)
            data = raw.encode() if isinstance(raw, str) else raw
            self.send_response(answer.status)
            kind = "text/plain" if is_plain else "application/json"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if answer.fault == "cut":
                self.wfile.write(data[: len(data) // 2])
                self._reset()
                return
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_PUT = answer  # noqa: N815 - the names that it looks for

        def _reset(self) -> None:
            linger = struct.pack("ii", 1, 0)  # closing sends RST
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            # The handler's own files keep the socket open otherwise.
            self.wfile.close()
            self.rfile.close()
            self.connection.close()

        def finish(self) -> None:
            if not self.wfile.closed:
                super().finish()

        def log_message(self, *args: Any) -> None:
            pass

    return Handler
