"""aiohttp's server: ``web.Application(middlewares=[logkit.aiohttp_middleware])``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logkit.middleware.requests import describe
from logkit.propagation import CORRELATION_HEADER, extract

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def aiohttp_middleware(request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
    """Handle one request in its caller's correlation."""
    inbound = extract(request.headers)
    with inbound as correlation_id:
        describe(inbound, request.method, request.path)
        try:
            response = await handler(request)
        except Exception as error:
            # aiohttp's HTTPException is an answer too.
            inbound.add(status_code=getattr(error, "status", 500))
            _add_id(error, correlation_id)
            raise
        inbound.add(status_code=getattr(response, "status", None))
        _add_id(response, correlation_id)
        return response


# What aiohttp.web.middleware would set; aiohttp is not imported for it.
aiohttp_middleware.__middleware_version__ = 1  # type: ignore[attr-defined]


def _add_id(response: Any, correlation_id: str) -> None:
    headers = getattr(response, "headers", None)
    if headers is not None and not getattr(response, "prepared", True):
        headers.setdefault(CORRELATION_HEADER, correlation_id)
