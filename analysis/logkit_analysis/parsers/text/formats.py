"""What the first line of a record looks like in the text logs that we know.

A format is one regular expression whose groups are named like the fields that they fill. The
table runs from the particular to the general: where two fit a log, the earlier one says more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

# Days come first where the month has a name, or dots stand between, as much of Europe writes it;
# 03/01/2026 may be either month.
_DAY = (
    r"(?:\d{4}[-/]\d\d[-/]\d\d[T ]|\d\d\.\d\d\.\d{4},? "
    r"|\d\d[/ \-](?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[/ \-]\d{4}[: ])"
)
_TIME = (
    rf"(?P<timestamp>{_DAY}\d\d:\d\d:\d\d(?:[.,]\d{{1,9}})?"
    r"(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?)"
)
_LEVEL = (
    r"(?P<level>(?i:trace|debug|verbose|info|notice|success|warn(?:ing)?|err(?:or)?|severe"
    r"|crit(?:ical)?|fatal|emerg(?:ency)?|alert|panic))"
)
_NAME = r"(?P<logger>[\w.$\-/]+)"
_TEXT = r"(?P<message>.*)"

# Loggers without a dot in their name; any other single word may be the message's first.
_BARE_NAME = (
    r"(?P<logger>[\w$\-]+(?:\.[\w$\-<>]+)+|root|__main__|discord|nextcord|disnake|httpx|httpcore"
    r"|asyncio|aiogram|telegram|openai|anthropic|uvicorn|gunicorn|celery|werkzeug|urllib3|aiohttp"
    r"|apscheduler)"
)


@dataclass(frozen=True, slots=True)
class TextFormat:
    """A format of text lines.

    Attributes:
        name: What people call it, and what the store remembers.
        pattern: Matches the whole first line of a record; its groups name fields.
        samples: Lines that it matches.
        is_multiline: Whether lines that match nothing continue the record before them.
        is_telling: Whether few lines of other logs match it by chance.
        has_dialects: Whether its fields may have the names that other loggers give them.
        time_format: How ``timestamp`` is written, as ``strptime`` takes it; ``None`` for any
            spelling that we know.
        constants: Fields that every record has.
        library: Logger whose messages these are where the lines name none.
    """

    name: str
    pattern: re.Pattern[str]
    samples: tuple[str, ...]
    is_multiline: bool = True
    is_telling: bool = True
    has_dialects: bool = False
    time_format: str | None = None
    constants: tuple[tuple[str, str], ...] = ()
    library: str | None = None


def _format(name: str, pattern: str, *samples: str, **options: Any) -> TextFormat:
    return TextFormat(name, re.compile(pattern), samples, **options)


_QUOTED = r'"(?:-|(?P<{}>[^"\\]*+(?:\\.[^"\\]*+)*+))"'
# What is no request, as scanners send it, is kept as it is.
_REQUEST = (
    r'"(?:-|(?P<method>[A-Z][A-Z\-]*+) (?P<endpoint>[^\s"\\?]++(?:\\.[^\s"\\?]*+)*+)'
    r'(?:\?(?P<query>[^\s"\\]*+(?:\\.[^\s"\\]*+)*+))?(?: (?P<protocol>HTTP/[\d.]++))?'
    r'|(?P<request>[^"\\]*+(?:\\.[^"\\]*+)*+))"'
)

FORMATS: tuple[TextFormat, ...] = (
    _format(
        "loguru",
        rf"{_TIME} \| {_LEVEL} *\| (?P<logger>[\w.$<>\-]+):(?P<function>[\w.$<>]+):(?P<line>\d+)"
        rf" - {_TEXT}",
        "2026-03-19 10:00:00.123 | INFO     | bot.main:run:42 - ready",
    ),
    _format(
        "celery",
        rf"\[{_TIME}: {_LEVEL}/(?P<process>[\w\-]+)\] (?:(?P<logger>[\w.]+)\[[\w\-]+\]: )?{_TEXT}",
        "[2026-03-19 10:00:00,123: INFO/MainProcess] celery@host ready.",
    ),
    _format(
        "gunicorn",
        rf"\[{_TIME}\] \[(?P<pid>\d+)\] \[{_LEVEL}\] {_TEXT}",
        "[2026-03-19 10:00:00 +0000] [7] [INFO] Listening at: http://127.0.0.1:8000 (7)",
        library="gunicorn.error",
    ),
    _format(
        "flask",
        rf"\[{_TIME}\] {_LEVEL} in {_NAME}: {_TEXT}",
        "[2026-03-19 10:00:00,123] ERROR in app: Exception on /ask [POST]",
    ),
    _format(
        "log4j",
        rf"\[{_TIME}\] {_LEVEL} ++(?P<message>.*) \((?P<logger>[\w.$\-]+)\)",
        "[2016-12-19 19:01:37,536] INFO Rolled new log segment in 1 ms. (kafka.log.Log)",
    ),
    _format(
        "spring",
        rf"{_TIME} +{_LEVEL} +(?P<pid>\d+) --- (?:\[[^\]]*\] )?\[ *(?P<thread>[^\]]*)\] "
        rf"(?P<logger>\S+) +: {_TEXT}",
        "2026-03-19T10:00:00.123Z  INFO 1 --- [main] o.s.b.SpringApplication  : Started",
    ),
    _format(
        "logback",
        rf"{_TIME} +\[(?P<thread>[^\]]*)\] +{_LEVEL} +(?P<logger>[\w.$\-/]+)(?: -|:) {_TEXT}",
        "2026-03-19 10:00:00,123 [main] WARN  org.example.Bot - slow",
    ),
    _format(
        "log4j2",
        rf"{_TIME} +{_LEVEL} +\[(?P<thread>[^\]]*)\] +(?P<logger>[\w.$\-/]+)(?: -|:) {_TEXT}",
        "2026-03-19 10:00:00,123 WARN [main] org.example.Bot: slow",
    ),
    _format(
        "nginx-error",
        rf"{_TIME} \[{_LEVEL}\] (?P<pid>\d+)#(?P<thread>\d+): {_TEXT}",
        "2026/03/19 10:00:00 [error] 7#7: *1 connect() failed (111: Connection refused)",
        is_multiline=False,
    ),
    _format(
        "python-dash",
        rf"{_TIME} - (?:(?P<logger>\S+) - )?{_LEVEL} - {_TEXT}",
        "2026-03-19 10:00:00,123 - bot.main - INFO - ready",
        "2026-03-19 10:00:00,123 - INFO - ready",
    ),
    _format(
        "discord",
        rf"\[?{_TIME}\]? ?\[ *{_LEVEL} *\]:? \[?(?P<logger>[\w.\-]+)\]?: {_TEXT}",
        "[2026-03-19 10:00:00] [INFO    ] discord.client: logging in using static token",
        "2026-03-19 10:00:00,123 [INFO] bot.main: ready",
    ),
    _format(
        "structlog",
        # The console renderer pads the level to the length of its longest.
        rf"{_TIME} \[(?=[a-z ]{{8,9}}\]){_LEVEL} *+\] (?P<padded_message>.*)",
        "2026-03-19 10:00:00 [info     ] command_handled                user_id=7 command='play'",
        "2026-03-19T10:00:00Z [warning  ] slow call    [bot.api] endpoint=/ask duration_ms=1200",
        has_dialects=True,
    ),
    _format(
        "python-bracket",
        rf"\[?{_TIME}\]? ?\[ *{_LEVEL} *\]:? {_TEXT}",
        "2026-03-19 10:00:00,123 [INFO] ready: 2 guilds",
    ),
    _format(
        "python-spaced",
        rf"\[?{_TIME}\]?[ :|]+{_LEVEL}[ :|]++{_NAME}(?: *+[:|]| -) {_TEXT}",
        "2026-03-19 10:00:00,123 INFO bot.main: ready",
        "2026-03-19 10:00:00,123:INFO:discord.client: logging in using static token",
        "2026-03-19 10:00:00,123 | INFO | bot.main | ready",
    ),
    _format(
        "python-named",
        rf"\[?{_TIME}\]?[ :|]+{_LEVEL}[ :|]++{_BARE_NAME} +{_TEXT}",
        "2026-03-19 10:00:00 INFO     discord.client logging in using static token",
    ),
    _format(
        "python-name-first",
        rf"\[?{_TIME}\]? +\[?(?P<logger>[A-Za-z_][\w.\-/]*)\]?(?:\[(?P<pid>\d+)\])?:? +"
        rf"\[?{_LEVEL}\]?[ :|\-]+{_TEXT}",
        "2026-03-19 10:00:00,123 bot.main INFO ready",
        "2026-03-19 10:00:00,123 bot.main[7] WARNING: slow",
    ),
    _format(
        "python-plain",
        rf"\[?{_TIME}\]?[ :|\-]+\[?{_LEVEL}\]?[ :|\-]+{_TEXT}",
        "2026-03-19 10:00:00,123 INFO ready",
        "2026-03-19 10:00:00,123 - WARNING: slow",
        "19.03.2026 10:00:00 INFO ready",
        "19-Mar-2026 10:00:00.123 INFO ready",
    ),
    _format(
        "uvicorn",
        r"(?P<level>INFO|WARNING|ERROR|CRITICAL|DEBUG|TRACE): {4,8} ?(?P<message>\S.*)",
        'INFO:     127.0.0.1:50000 - "GET /health HTTP/1.1" 200 OK',
        "INFO:     Application startup complete.",
        library="uvicorn",
    ),
    _format(
        "python-basic",
        rf"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL):(?P<logger>[\w.\-]+):{_TEXT}",
        "WARNING:discord.client:PyNaCl is not installed, voice will NOT be supported",
    ),
    _format(
        "access",
        r"(?P<client>\S+) (?:-|(?P<ident>\S+)) (?:-|(?P<user>\S+(?: \S+)?)) "
        rf"\[(?P<timestamp>[^\]]+)\] {_REQUEST} (?:-|(?P<status_code>\d{{3}})) "
        r"(?:-|(?P<bytes_sent>\d+))"
        rf"(?: {_QUOTED.format('referer')} {_QUOTED.format('user_agent')})?"
        # nginx' $request_time, which most add first; then whatever else was added.
        r"(?: (?P<request_time>\d+\.\d{3})(?= |$))?(?: (?P<extra>.*))?",
        '203.0.113.9 - - [20/May/2015:04:05:11 +0000] "GET /a.css HTTP/1.1" 200 3638 "-" "curl/8"',
        '203.0.113.9 - ann [20/May/2015:04:05:11 +0000] "GET / HTTP/1.0" 304 -',
        is_multiline=False,
        constants=(("event", "request_handled"),),
    ),
    _format(
        "logfmt",
        # Words with = in between are no log; what says its time, level or text is.
        r"(?=(?:.* )?(?:level|lvl|severity|msg|message|time|ts|at)=)"
        r"(?P<pairs>[A-Za-z_@][\w.@\-]*=(?:\"(?:[^\"\\]|\\.)*\"|[^\s\"]*)"
        r"(?: ++[A-Za-z_@][\w.@\-]*(?:=(?:\"(?:[^\"\\]|\\.)*\"|[^\s\"]*))?)*+) *",
        'time=2026-03-19T10:00:00Z level=warn msg="slow call" duration=1.2s',
        is_multiline=False,
        is_telling=False,
        has_dialects=True,
    ),
    _format(
        "timed",
        rf"\[?{_TIME}\]?[ :|\-]+{_TEXT}",
        "2026-03-19 10:00:00 ready",
        is_telling=False,
    ),
)

WHOLE_LINE = _format("line", _TEXT, "anything", is_multiline=False, is_telling=False)
"""Any line as a message: what a transport carries and no format knows."""

BY_NAME: dict[str, TextFormat] = {known.name: known for known in FORMATS}

FAMILIES: dict[str, tuple[str, ...]] = {
    "python": tuple(name for name in BY_NAME if name.startswith("python") or name == "discord"),
    "apache": ("access",),
    "nginx": ("access", "nginx-error"),
}
"""Names that people look for, each for several of the table."""
