"""Middleware of web frameworks: each request runs in its caller's correlation, or in a new one.

The id goes back in ``X-Correlation-ID``, so that a user's report can name it.
"""

from __future__ import annotations

from logkit.middleware.aiohttp_server import aiohttp_middleware
from logkit.middleware.asgi import AsgiMiddleware
from logkit.middleware.wsgi import WsgiMiddleware

__all__ = ["AsgiMiddleware", "WsgiMiddleware", "aiohttp_middleware"]
