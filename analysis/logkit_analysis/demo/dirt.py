"""Dirty lines of the kinds that real log files hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from logkit_analysis.demo import cast
from logkit_analysis.demo.tape import timestamp
from logkit_analysis.demo.timeline import MINUTE

if TYPE_CHECKING:
    from logkit_analysis.demo.tape import Tape
    from logkit_analysis.demo.timeline import Timeline

_TRACEBACK = b"""\
Traceback (most recent call last):
  File "/srv/bot/gateway.py", line 212, in <module>
    asyncio.run(main())
  File "/srv/bot/gateway.py", line 188, in main
    await session.run()
ConnectionResetError: [Errno 104] Connection reset by peer
"""


def scatter(timeline: Timeline, gateway: Tape, worker: Tape) -> None:
    """Add dirty lines: a crash with its traceback, and what careless plugins print."""
    _crash(timeline.crash.start, gateway)
    calm = timeline.window.start + 30 * MINUTE
    latin1 = orjson.dumps(_plugin_line(calm, worker, "quote_added", by="Rene")).replace(
        b"Rene", b"Ren\xe9"
    )
    worker.spill(calm, latin1 + b"\n", "invalid_utf8")
    worker.spill(calm + 9 * MINUTE, b'["cache","evicted",17]\n', "not_an_object")
    worker.spill(calm + 11 * MINUTE, b"\n", "blank")
    worker.spill(calm + 21 * MINUTE, b"DEBUG:plugin.quotes:reloaded 112 quotes\n", "plain_text")
    _odd_objects(timeline.crash.end + 10 * MINUTE, gateway)
    _odd_objects(calm + 15 * MINUTE, worker)


def _crash(at: int, tape: Tape) -> None:
    """Let the process die in the middle of a write; its stderr goes to the same file."""
    whole = orjson.dumps(_plugin_line(at, tape, "message_received", text="unfinished business"))
    tape.spill(at, whole[: len(whole) * 2 // 3] + b"\n", "truncated_json")
    for line in _TRACEBACK.splitlines(keepends=True):
        tape.spill(at + 1, line, "plain_text")


def _odd_objects(at: int, tape: Tape) -> None:
    """JSON objects, and so events, but with values that a careful reader must not trust."""
    call = cast.FORECAST.fields() | {"duration_ms": 184.2}
    for kind, fields in (
        ("number_as_text", call | {"status_code": "429", "duration_ms": "184.2"}),
        ("fractional_status", call | {"status_code": 429.5}),
        ("text_as_number", call | {"status_code": 200, "duration_ms": "fast"}),
    ):
        at += MINUTE
        _spill_object(at, tape, _plugin_line(at, tape, "plugin_called", **fields), kind)
    timeless = _plugin_line(at, tape, "cache_pruned", removed=17)
    del timeless["timestamp"]
    _spill_object(at + MINUTE, tape, timeless, "no_timestamp")
    loud = _plugin_line(at + 2 * MINUTE, tape, "plugin_loaded") | {"level": "NOTICE!"}
    _spill_object(at + 2 * MINUTE, tape, loud, "unknown_level")


def _plugin_line(at: int, tape: Tape, event: str, **fields: Any) -> dict[str, Any]:
    """Return an event as a plugin prints it that does not know logkit: no instance, no seq."""
    head = {"timestamp": timestamp(at), "level": "info", "service": tape.service, "event": event}
    return head | {"logger": "plugin"} | fields


def _spill_object(at: int, tape: Tape, fields: dict[str, Any], kind: str) -> None:
    tape.spill(at, orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE), kind)
