"""The table against the libraries themselves: their source, and records that they really make."""

from __future__ import annotations

import ast
import asyncio
import re
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from slack_bolt import App, BoltRequest
from slack_bolt.authorization import AuthorizeResult
from telegram.error import BadRequest
from telegram.ext import ApplicationBuilder

from logkit.libraries import rows
from logkit.testing import capture_events

from ..instrumentation.loopback import Answer, Loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a library puts together from pieces; its own test lets the library say it.
COMPOSED = {"Uvicorn running on %s://%s:%d (Press CTRL+C to quit)"}
LOGS = re.compile(rb"(?i)log\w*[.\[]")
# telethon's generated code, which logs nothing, takes seconds to parse.
MAX_SOURCE_BYTES = 400_000
PARTS = [
    ("disnake", rows.DISCORD, {"http", "gateway", "client", "shard", "state"}),
    ("discord", rows.DISCORD, set(rows.DISCORD)),
    ("telegram", rows.TELEGRAM, {"telegram.ext"}),
    ("telethon", rows.TELEGRAM, {"telethon.client", "telethon.network"}),
    ("uvicorn", rows.SERVERS, {"uvicorn.access", "uvicorn.error"}),
    ("gunicorn", rows.SERVERS, {"gunicorn.error"}),
    ("celery", rows.SERVERS, {"celery.app", "celery.worker"}),
    ("httpx", rows.CLIENTS, {"httpx"}),
    ("urllib3", rows.CLIENTS, {"urllib3.connectionpool"}),
]
# discord.py and its forks share a table, in which each has a few rows of its own.
SHARING = {"disnake", "discord"}


@pytest.fixture
def server() -> Iterator[Loopback]:
    """Start a server of the test's own."""
    loopback = Loopback()
    yield loopback
    loopback.stop()


@lru_cache
def texts_of(package: str) -> frozenset[str]:
    """Return all texts in the source of an installed package, those of several lines also cut."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    texts: set[str] = set()
    for folder in spec.submodule_search_locations:
        for file in Path(folder).rglob("*.py"):
            source = file.read_bytes()
            if len(source) > MAX_SOURCE_BYTES or not LOGS.search(source):
                continue
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    texts |= {node.value, node.value.split("\n", 1)[0]}
    return frozenset(texts)


@pytest.mark.parametrize(("package", "table", "parts"), PARTS, ids=[part[0] for part in PARTS])
def test_the_library_says_what_the_table_expects(
    package: str, table: rows.Rows, parts: set[str]
) -> None:
    """Each template stands in the source of the installed version, for forks most of them do."""
    texts = texts_of(package)
    for part in sorted(parts):
        known = [template for template in table[part] if template in texts]
        missing = set(table[part]) - set(known) - COMPOSED - {"*"}
        assert known, part
        assert not missing or package in SHARING, part


def test_slack_bolt() -> None:
    """A listener that fails is an event with the error, from the text that Bolt puts together."""
    app = App(
        signing_secret="none",
        authorize=lambda: AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-1"),
        request_verification_enabled=False,
        process_before_response=True,
    )

    @app.command("/rank")
    def rank() -> None:
        raise ValueError("no such channel")

    body = "command=/rank&team_id=T1&user_id=U1&channel_id=C1"
    with capture_events() as events:
        kind = {"content-type": "application/x-www-form-urlencoded"}
        app.dispatch(BoltRequest(body=body, headers={**kind}))
    (failed,) = [event for event in events if event["event"] == "listener_failed"]
    assert failed["logger"].startswith("slack_bolt")
    assert (failed["platform"], failed["error_type"]) == ("slack", "ValueError")
    assert failed["error_message"] == "no such channel"


def test_python_telegram_bot(server: Loopback) -> None:
    """A bot that is refused when it begins to poll says in which attempt of how many."""

    async def main() -> None:
        builder = ApplicationBuilder().token("1:none").base_url(f"{server.url}/bot")
        updater = builder.build().updater
        assert updater is not None
        async with updater:
            with pytest.raises(BadRequest):
                await updater.start_polling(bootstrap_retries=0)

    me = {"id": 1, "is_bot": True, "first_name": "b", "username": "b"}
    refused = {"ok": False, "error_code": 400, "description": "Bad Request"}
    server.will(Answer(200, {"ok": True, "result": me}), Answer(400, refused))
    with capture_events() as events:
        asyncio.run(main())
    (failed,) = [event for event in events if event["event"] == "polling_failed"]
    assert (failed["platform"], failed["error_type"]) == ("telegram", "BadRequest")
    assert (failed["attempt"], failed["max_attempts"]) == (0, 0)
    assert "deleteWebhook" in str(events)
    assert "1:none" not in str(events)
