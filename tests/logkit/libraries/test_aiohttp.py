"""A real aiohttp server, whose access log has its values in the text."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from aiohttp import web
from aiohttp.web_log import AccessLogger

if TYPE_CHECKING:
    from collections.abc import Callable

    Events = Callable[[], list[dict[str, Any]]]


@pytest.mark.parametrize(
    "log_format", [AccessLogger.LOG_FORMAT, "%s %r %D %{Accept}i", "%r %Tf"], ids=str
)
def test_requests_are_events_with_fields(events: Events, log_format: str) -> None:
    """Method, route and status as those of other servers, whatever the text looks like."""

    async def main() -> None:
        runner = web.AppRunner(web.Application(), access_log_format=log_format)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with httpx.AsyncClient() as client:
            await client.get(f"http://127.0.0.1:{port}/users/123456?token=abcdef123xyz")
        await runner.cleanup()

    asyncio.run(main())
    (handled,) = (event for event in events() if event["logger"] == "aiohttp.access")
    assert handled["event"] == "request_handled"
    assert (handled["method"], handled["endpoint"]) == ("GET", "/users/{user_id}")
    assert handled.get("status_code") == (404 if "%s" in log_format else None)
    assert ("duration_ms" in handled) == ("%D" in log_format or "%T" in log_format)
    assert "abcdef123xyz" not in str(handled)
    assert not any(name.startswith(("request_", "first_", "remote_")) for name in handled)
