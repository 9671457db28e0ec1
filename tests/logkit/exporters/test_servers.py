"""Requests to a bot's own server are spans, whatever its framework."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from wsgiref.util import setup_testing_defaults

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import logkit

from .otlp_receiver import Receiver, attributes

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADERS = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
SERVER, UNSET, ERROR = 2, 0, 2


def asgi(status: int) -> None:
    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse("", status_code=status)

    async def ask() -> None:
        app = logkit.AsgiMiddleware(Starlette(routes=[Route("/users/{name}", answer)]))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
            await client.get("/users/123456", headers=HEADERS)

    asyncio.run(ask())


def wsgi(status: int) -> None:
    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response(f"{status} OK", [])
        return [b""]

    environ: dict[str, Any] = {"PATH_INFO": "/users/123456"}
    environ["HTTP_TRACEPARENT"] = HEADERS["traceparent"]
    setup_testing_defaults(environ)
    logkit.WsgiMiddleware(answer)(environ, lambda *args: None)


def aiohttp_server(status: int) -> None:
    async def answer(request: web.Request) -> web.Response:
        if status == 404:
            raise web.HTTPNotFound
        return web.Response(status=status)

    async def ask() -> None:
        app = web.Application(middlewares=[logkit.aiohttp_middleware])
        app.router.add_get("/users/{name}", answer)
        async with TestClient(TestServer(app)) as client:
            await client.get("/users/123456", headers=HEADERS)

    asyncio.run(ask())


@pytest.mark.parametrize("status", [200, 404, 503])
@pytest.mark.parametrize("serve", [asgi, wsgi, aiohttp_server])
def test_a_request_is_a_span_below_its_callers(
    serve: Callable[[int], None], status: int, receiver: Receiver
) -> None:
    """Named by method and route; it failed if the server did, not if the caller asked amiss."""
    serve(status)
    (span,) = receiver.wait_for(1).values()
    assert (span.name, span.kind) == ("GET /users/{user_id}", SERVER)
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, SPAN)
    assert attributes(span)["http.response.status_code"] == status
    assert span.status.code == (ERROR if status >= 500 else UNSET)
