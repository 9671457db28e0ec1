"""The endpoints inside an ASGI application that the bot has anyway."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from logkit.exporters.pages import safe_answer

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Message, Receive, Send], Awaitable[None]]


async def app(scope: Message, receive: Receive, send: Send) -> None:  # noqa: ARG001
    """Answer ``/metrics``, ``/healthz`` and ``/readyz`` below the path where it is mounted."""
    if scope["type"] != "http":
        return
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    accepted = [value.decode("latin-1") for name, value in scope["headers"] if name == b"accept"]
    told = safe_answer(path, ",".join(accepted))
    headers = [
        (b"content-type", told.content_type.encode()),
        (b"content-length", str(len(told.body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": told.status, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else told.body
    await send({"type": "http.response.body", "body": body})
