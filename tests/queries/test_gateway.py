"""What discord.py itself logs about its gateway is enough to tell blocks and reconnects."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta
from typing import Any

import discord.client
import discord.gateway
import discord.shard
import pytest

from logkit.names import describe

START = datetime(2026, 1, 31, 9, tzinfo=UTC)
SOURCE = "".join(map(inspect.getsource, (discord.gateway, discord.client, discord.shard)))
STACK = '\nLoop thread traceback (most recent call last):\n  File "/bot/main.py", line 7, in run\n'
STACK += '    handle()\n  File "/bot/cogs/play.py", line 41, in encode\n    time.sleep(30)\n'


def logged(second: float, template: str, *args: object, stack: str = "") -> dict[str, Any]:
    """Return the event of a call that discord.py makes, as `import logkit` writes it."""
    assert template in SOURCE, "discord.py does not say this any more"
    event, message = describe(template + stack, args, "discord.gateway")
    return {
        "timestamp": START + timedelta(seconds=second),
        "service": "bot",
        "instance": "i1",
        "level": "warning",
        "event": event,
        "message": message,
    }


def block(second: float, shard: int, delay: int) -> dict[str, Any]:
    """Return a report of a blocked heartbeat with the stack of the loop's thread."""
    text = "Shard ID %s heartbeat blocked for more than %s seconds."
    return logged(second, text, shard, delay, stack=STACK)


@pytest.mark.parametrize("has_event", [True, False], ids=["event", "text_alone"])
def test_a_blocked_heartbeat_names_the_line_that_blocks(store: Any, has_event: bool) -> None:
    """Reports of one freeze are one block, with its start, length and innermost frame."""
    rows = [
        block(10, 0, 10),
        block(20, 0, 20),
        block(30, 0, 30),
        block(400, 0, 10),
        block(20, 1, 9),
    ]
    store.fill([row if has_event else {**row, "event": None} for row in rows])
    found = store.run("heartbeat_blocks")
    frame = 'File "/bot/cogs/play.py", line 41, in encode'
    names = ("shard", "started_at", "ended_at", "reports", "longest_ms", "blocking_frame")
    assert [tuple(row[name] for name in names) for row in found] == [
        ("0", START, START + timedelta(seconds=30), 3, 30_000, frame),
        ("1", START + timedelta(seconds=11), START + timedelta(seconds=20), 1, 9_000, frame),
        ("0", START + timedelta(seconds=390), START + timedelta(seconds=400), 1, 10_000, frame),
    ]


def test_a_late_websocket_and_a_lagging_loop_are_blocks_too(store: Any) -> None:
    """The library's "can't keep up" and our own loop_lag_ms count; a small lag does not."""
    late = logged(9, "Can't keep up, shard ID %s websocket is %.1fs behind.", 3, 8.5)
    sample = {**late, "event": "resource_sample", "message": None}
    lags = [{**sample, "loop_lag_ms": lag} for lag in (999.0, 1000.0, None)]
    store.fill([late, *lags])
    found = store.run("heartbeat_blocks")
    assert [(row["shard"], row["longest_ms"], row["blocking_frame"]) for row in found] == [
        ("3", 8500, None),
        (None, 1000, None),
    ]
    assert len(store.run("heartbeat_blocks", least_lag_ms="1000.5")) == 1


def test_connections_are_counted_by_shard(store: Any) -> None:
    """Identifies, resumes, lost sessions and lost connections are told apart."""
    rows = [
        logged(0, "Shard ID %s has connected to Gateway (Session ID: %s).", 0, "abc"),
        logged(1, "Shard ID %s has connected to Gateway (Session ID: %s).", 1, "def"),
        logged(60, "Shard ID %s session has been invalidated.", 1),
        logged(61, "Shard ID %s has connected to Gateway (Session ID: %s).", 1, "ghi"),
        logged(70, "Shard ID %s has successfully RESUMED session %s.", 1, "ghi"),
        logged(80, "Shard ID %s has stopped responding to the gateway. Closing and restarting.", 0),
        logged(90, "Attempting a reconnect for shard ID %s in %.2fs", 0, 1.5),
        {**logged(95, "Shard ID %s has sent the RESUME payload.", 0), "level": "debug"},
        {**logged(99, "Attempting a reconnect in %.2fs", 2.5), "level": "error"},
    ]
    store.fill(rows)
    names = ("shard", "identifies", "resumes", "invalidated", "disconnects", "resume_ratio")
    assert [tuple(row[name] for name in names) for row in store.run("reconnects")] == [
        ("0", 1, 0, 0, 2, 0.0),
        (None, 0, 0, 0, 1, None),
        ("1", 2, 1, 1, 0, 1 / 3),
    ]
