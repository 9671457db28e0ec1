"""A real discord.py client on a loopback gateway, run as the drop-in says: ``log_handler=None``."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

import discord
import pytest
from aiohttp import web
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Events = Callable[[], list[dict[str, Any]]]

USER: dict[str, Any] = {
    "id": "1187654321098765432",
    "username": "bot",
    "discriminator": "0",
    "avatar": None,
}


APPLICATION: dict[str, Any] = {
    **dict.fromkeys(("name", "description", "verify_key"), "bot"),
    **dict.fromkeys(("icon", "flags", "bot_public", "bot_require_code_grant"), 0),
    "id": "1",
    "owner": USER,
}


async def _login(request: web.Request) -> web.Response:
    # Without these headers, exactly so, discord.py does not take the answer for the API's.
    headers = {"Via": "1.1 google", "Content-Type": "application/json"}
    answer = APPLICATION if "applications" in request.path else USER
    return web.Response(body=json.dumps(answer), headers=headers)


async def _gateway(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.send_json({"op": 10, "d": {"heartbeat_interval": 60_000}})
    async for message in socket:
        if message.json()["op"] == 2:
            ready = {"session_id": "s-1", "user": USER, "guilds": [], "shard": [0, 1]}
            ready["resume_gateway_url"] = str(request.url.with_path("/"))
            await socket.send_json({"op": 0, "s": 1, "t": "READY", "d": ready})
    return socket


@pytest.fixture
def port() -> Iterator[int]:
    """Run a server that lets a bot log in, from a thread with a loop of its own."""
    loop, ports = asyncio.new_event_loop(), []
    stopped = asyncio.Event()
    started = threading.Event()

    async def serve() -> None:
        app = web.Application()
        app.add_routes([web.get("/api/{path:.*}", _login), web.get("/", _gateway)])
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.append(runner.addresses[0][1])
        started.set()
        await stopped.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert started.wait(60)
    yield ports[0]
    loop.call_soon_threadsafe(stopped.set)
    thread.join(60)
    loop.close()


class _Bot(discord.Client):
    async def on_ready(self) -> None:
        try:
            raise ValueError("no such channel")
        finally:
            await self.close()


def test_the_clients_records_are_events(
    events: Events, port: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Login, session and a failing handler: named fields, once each, none on the console."""
    monkeypatch.setattr(Route, "BASE", f"http://127.0.0.1:{port}/api")
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", URL(f"ws://127.0.0.1:{port}/"))
    bot = _Bot(intents=discord.Intents.none(), guild_ready_timeout=0)
    bot.run("token", log_handler=None)
    found = [event for event in events() if event.get("platform") == "discord"]
    named = {event["event"]: event for event in found}
    assert len(named) == len(found)
    connected = named["gateway_connected"]
    assert (connected["session_id"], connected["logger"]) == ("s-1", "discord.gateway")
    failed = named["event_handler_failed"]
    assert (failed["handler"], failed["error_type"]) == ("on_ready", "ValueError")
    assert "login_started" in named
    assert capfd.readouterr() == ("", "")
