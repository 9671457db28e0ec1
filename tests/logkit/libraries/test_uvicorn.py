"""A real uvicorn, as the drop-in describes it: ``log_config=None``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    Events = Callable[[], list[dict[str, Any]]]


async def app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def test_uvicorns_records_are_events(events: Events, capsys: pytest.CaptureFixture[str]) -> None:
    """Start, one request with its route and status, stop; each once, none on the console."""

    async def main() -> None:
        config = uvicorn.Config(app, port=0, log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with httpx.AsyncClient() as client:
            await client.get(f"http://127.0.0.1:{port}/users/123456?token=abcdef123xyz")
        server.should_exit = True
        await task

    asyncio.run(main())
    of_uvicorn = [event for event in events() if event["logger"].startswith("uvicorn")]
    by_name = {event["event"]: event for event in of_uvicorn}
    assert len(by_name) == len(of_uvicorn)
    assert {"server_started", "server_listening", "server_stopped"} <= by_name.keys()
    handled = by_name["request_handled"]
    assert (handled["method"], handled["endpoint"]) == ("GET", "/users/{user_id}")
    assert handled["status_code"] == 404
    assert "abcdef123" not in str(of_uvicorn)
    assert not any("color_message" in event for event in of_uvicorn)
    assert capsys.readouterr() == ("", "")
