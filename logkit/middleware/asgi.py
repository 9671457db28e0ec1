"""ASGI: Starlette, FastAPI, Quart, Litestar, Django."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logkit.middleware.requests import describe
from logkit.propagation import CORRELATION_HEADER, extract

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Message, Receive, Send], Awaitable[None]]

_HEADER = CORRELATION_HEADER.lower().encode()
_STARTS = frozenset({"http.response.start", "websocket.accept"})


class AsgiMiddleware:
    """Wraps an ASGI application: ``app = AsgiMiddleware(app)``, or ``add_middleware(...)``.

    It is plain ASGI, so streams, background tasks and websockets stay inside the correlation.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Handle one request or websocket; the application's lifespan passes as it is."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        request = extract(scope.get("headers"))
        with request as correlation_id:
            describe(request, scope.get("method", "GET"), scope.get("path"))

            async def send_with_id(message: Message) -> None:
                if message["type"] in _STARTS:
                    request.add(status_code=message.get("status"))
                    headers = list(message.get("headers") or ())
                    if not any(bytes(name).lower() == _HEADER for name, _ in headers):
                        headers.append((_HEADER, correlation_id.encode()))
                    message = {**message, "headers": headers}
                await send(message)

            await self._app(scope, receive, send_with_id)
