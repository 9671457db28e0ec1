"""Requests through real frameworks: each runs in its caller's correlation and answers its id."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any
from wsgiref.util import FileWrapper, setup_testing_defaults

import aiohttp
import httpx
import pytest
from aiohttp import web
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute

import logkit
from logkit.context import is_correlation_id
from logkit.testing import capture_events

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.requests import Request
    from starlette.websockets import WebSocket

log = logkit.get_logger("bot")


async def in_background() -> None:
    log.info("background_ran")


async def plain(request: Request) -> PlainTextResponse:
    await asyncio.sleep(0)
    log.info("handled", number=request.query_params["n"])
    return PlainTextResponse("ok", background=BackgroundTask(in_background))


async def streamed(request: Request) -> StreamingResponse:
    async def pieces() -> AsyncIterator[str]:
        log.info("piece_made")
        yield "a"

    return StreamingResponse(pieces())


async def broken(request: Request) -> None:
    log.info("handled")
    raise RuntimeError("no")


async def socket(websocket: WebSocket) -> None:
    log.info("socket_opened")
    await websocket.accept()
    await websocket.close()


STARLETTE = Starlette(
    routes=[
        Route("/", plain),
        Route("/streamed", streamed),
        Route("/broken", broken),
        WebSocketRoute("/socket", socket),
    ]
)
ASGI = logkit.AsgiMiddleware(STARLETTE)


def asgi_client() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(ASGI, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://bot")


def test_asgi_requests_at_once_keep_apart() -> None:
    """Ids in, ids out; each request has its own, with its background task, and none stays."""

    async def main() -> list[httpx.Response]:
        async with asgi_client() as client:
            return await asyncio.gather(
                *(
                    client.get("/", params={"n": n}, headers={"X-Correlation-ID": f"request-{n}"})
                    for n in range(5)
                )
            )

    with capture_events() as events:
        responses = asyncio.run(main())
        log.info("after")
    assert [response.headers["x-correlation-id"] for response in responses] == [
        f"request-{n}" for n in range(5)
    ]
    handled = [event for event in events if event["event"] == "handled"]
    assert all(event["correlation_id"] == f"request-{event['number']}" for event in handled)
    background = {e["correlation_id"] for e in events if e["event"] == "background_ran"}
    assert len(background) == 5
    assert "correlation_id" not in events[-1]


@pytest.mark.parametrize("path", ["/streamed", "/broken", "/missing"])
def test_every_asgi_answer_has_an_id(path: str) -> None:
    """A stream, a failure and a 404 carry a new id, the one under which they were logged."""

    async def main() -> httpx.Response:
        async with asgi_client() as client:
            return await client.get(path)

    with capture_events() as events:
        correlation_id = asyncio.run(main()).headers["x-correlation-id"]
    assert is_correlation_id(correlation_id)
    ids = {event["correlation_id"] for event in events if event["logger"] == "bot"}
    assert ids <= {correlation_id}


def test_a_websocket_runs_in_a_correlation() -> None:
    """Its id goes out with the acceptance."""
    sent: list[Any] = []

    async def main() -> None:
        async def receive() -> dict[str, str]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "websocket",
            "path": "/socket",
            "headers": [(b"X-Request-ID", b"ws-1")],
            "query_string": b"",
            "root_path": "",
            "subprotocols": [],
        }
        await ASGI(scope, receive, send)

    with capture_events() as events:
        asyncio.run(main())
    assert events[0]["correlation_id"] == "ws-1"
    assert (b"x-correlation-id", b"ws-1") in sent[0]["headers"]


def test_the_lifespan_passes() -> None:
    """Start and end of the application are no request."""
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])
        log.info("lived")

    with capture_events() as events:
        asyncio.run(logkit.AsgiMiddleware(app)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan"]
    assert "correlation_id" not in events[0]


def wsgi(app: Any, **environ: str) -> tuple[list[bytes], dict[str, str]]:
    answered: dict[str, str] = {}
    given: dict[str, Any] = dict(environ)
    setup_testing_defaults(given)

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        answered.update(headers)

    body = logkit.WsgiMiddleware(app)(given, start_response)
    pieces = list(body)
    if hasattr(body, "close"):
        body.close()
    return pieces, answered


def test_a_lazy_wsgi_body_stays_in_its_correlation() -> None:
    """Pieces that the server asks for after the call, and the close, are logged under the id."""

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            log.info("piece_made")
            yield b"a"

        def close(self) -> None:
            log.info("closed")

    def app(environ: Any, start_response: Any) -> Body:
        log.info("handled")
        start_response("200 OK", [])
        return Body()

    with capture_events() as events:
        pieces, headers = wsgi(app, HTTP_X_CORRELATION_ID="web-1")
        log.info("after")
    assert pieces == [b"a"]
    assert headers == {"X-Correlation-ID": "web-1"}
    assert [event.get("correlation_id") for event in events] == ["web-1"] * 3 + [None]


@pytest.mark.parametrize("body", [[b"a"], (b"a",), FileWrapper(io.BytesIO(b"a"))])
def test_bodies_that_servers_know_pass_as_they_are(body: Any) -> None:
    """Lists and files keep their type, for which servers have fast ways."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("X-Correlation-Id", "own")])
        return body

    given: dict[str, Any] = {"wsgi.file_wrapper": FileWrapper}
    assert logkit.WsgiMiddleware(app)(given, lambda *_: None) is body
    assert wsgi(app)[1] == {"X-Correlation-Id": "own"}


def test_aiohttp_server() -> None:
    """A handler's answer and an HTTPException carry the id under which they were logged."""

    async def handle(request: web.Request) -> web.Response:
        log.info("handled")
        if request.path == "/missing":
            raise web.HTTPNotFound
        return web.Response()

    async def main() -> list[str]:
        app = web.Application(middlewares=[logkit.aiohttp_middleware])
        app.router.add_get("/{path:.*}", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0]
        async with aiohttp.ClientSession() as session:
            ids = []
            for path in ("found", "missing"):
                url = f"http://{host}:{port}/{path}"
                async with session.get(url, headers={"X-Request-ID": path}) as response:
                    ids.append(response.headers["X-Correlation-ID"])
        await runner.cleanup()
        return ids

    with capture_events() as events:
        assert asyncio.run(main()) == ["found", "missing"]
    handled = [event["correlation_id"] for event in events if event["event"] == "handled"]
    assert handled == ["found", "missing"]
