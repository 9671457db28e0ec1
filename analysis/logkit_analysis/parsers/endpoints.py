"""URLs as endpoints: the path, with ids replaced by what they are ids of."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote, urlsplit

_ID = re.compile(
    r"\d{5,}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{24,}",
    re.IGNORECASE,
)
_DISCORD_VERSION = re.compile(r"/api(?:/v\d+)?(?=/)")
_TELEGRAM_TOKEN = re.compile(r"/bot\d+:[\w-]+(?=/)")
_NAMES = {"members": "user_id", "bans": "user_id", "reactions": "emoji", "interactions": "id"}
_SECRET_FOLLOWS = ("webhooks", "interactions")


@lru_cache(maxsize=4_096)
def endpoint_of(url: str) -> tuple[str, str | None]:
    """Return the endpoint of *url*, and its host if it names one.

    The versions of Discord's API are one endpoint; tokens of Telegram and of Discord's webhooks
    and interactions, which their paths hold, are replaced like ids.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return url, None
    path = _DISCORD_VERSION.sub("", parts.path, count=1) if _is_discord(host) else parts.path
    path = _TELEGRAM_TOKEN.sub("/bot{token}", path)
    segments = path.split("/")
    return "/".join(_segment(segments, index) for index in range(len(segments))) or "/", host


def _is_discord(host: str | None) -> bool:
    return host is not None and (host + ".").startswith(
        ("discord.", "discordapp.", "canary.", "ptb.")
    )


def _segment(segments: list[str], index: int) -> str:
    segment, before = segments[index], segments[index - 1] if index else ""
    if index > 1 and segments[index - 2] in _SECRET_FOLLOWS and segment and _ID.fullmatch(before):
        return "{token}"
    if before == "reactions" and segment:
        return "{emoji}"
    if not _ID.fullmatch(unquote(segment)):
        return segment
    return "{" + (_NAMES.get(before) or f"{before.removesuffix('s') or 'some'}_id") + "}"
