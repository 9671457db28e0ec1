"""WSGI: Flask, Django, Bottle, Falcon."""

from __future__ import annotations

from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

from logkit.middleware.requests import describe
from logkit.propagation import CORRELATION_HEADER, extract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_READ = (
    "HTTP_X_CORRELATION_ID",
    "HTTP_X_REQUEST_ID",
    "HTTP_TRACEPARENT",
    "HTTP_TRACESTATE",
)
_PREFIX = len("HTTP_")


class WsgiMiddleware:
    """Wraps a WSGI application: ``app.wsgi_app = WsgiMiddleware(app.wsgi_app)``."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Handle one request, also what runs while the server reads the body piece by piece."""
        headers = {
            name[_PREFIX:].replace("_", "-"): environ[name] for name in _READ if name in environ
        }
        request = extract(headers)
        with request as correlation_id:
            describe(request, environ.get("REQUEST_METHOD"), environ.get("PATH_INFO"))
            start = _with_id(start_response, correlation_id, request)
            body = self._app(environ, start)
            file_wrapper = environ.get("wsgi.file_wrapper")
            is_file = isinstance(file_wrapper, type) and isinstance(body, file_wrapper)
            # Servers treat these in ways of their own, and no code of the bot runs in them.
            if is_file or isinstance(body, list | tuple):
                return body
            return _Body(body, copy_context())


class _Body:
    """A body whose pieces are made, and which is closed, in the context of its request."""

    def __init__(self, body: Iterable[bytes], context: Context) -> None:
        self._body = body
        self._context = context
        self._pieces: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        self._pieces = self._context.run(iter, self._body)
        return self

    def __next__(self) -> bytes:
        if self._pieces is None:
            iter(self)
        return self._context.run(next, self._pieces)  # type: ignore[arg-type]

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            self._context.run(close)


def _with_id(start_response: Any, correlation_id: str, request: extract) -> Any:
    def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
        request.add(status_code=int(status[:3]) if status[:3].isdecimal() else None)
        if not any(name.lower() == CORRELATION_HEADER.lower() for name, _ in headers):
            headers = [*headers, (CORRELATION_HEADER, correlation_id)]
        return start_response(status, headers, *exc_info)

    return start
