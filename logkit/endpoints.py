"""Path of a URL -> endpoint template: ids, names of people and things, and tokens replaced."""

from __future__ import annotations

import re

from logkit.rate_limits.platforms import platform_of_host

_MAX_SEGMENTS = 24
_MAX_LENGTH = 200

_ID = re.compile(
    r"\d+"
    r"|(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{8,}"
    r"|\{?[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?"
    r"|(?=[A-Z]*\d)[A-Z][0-9A-Z]{7,}"  # Slack: C024BE91L
    r"|[a-z]{2,12}[_-](?=[A-Za-z]*\d)[0-9A-Za-z]{8,}"  # OpenAI and Stripe: file-ab12, cus_Nf12
    r"|(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[\w.~-]{20,}|(?=.*\d)[\w.~-]{32,}|[\w.~-]{48,}"  # tokens
    r"|[^@]+@[^@]+\.[^@]+|[@!#$][^:]+:.+"  # e-mail addresses and Matrix ids
    r"|.*(?:\d{5}|%[0-9a-fA-F]{2}|[^\x21-\x7e]).*",
    re.DOTALL,
)
_VERSION = re.compile(r"\d{1,2}(?:\.\d{1,2})?")
_NOUN = re.compile(r"[a-z][a-z_-]{0,40}")
_NOUNS = {
    "bans": "user_id",
    "members": "user_id",
    "reactions": "emoji",
    "recipients": "user_id",
}

_Rules = tuple[tuple[re.Pattern[str], str], ...]

# Tokens whose place in the path gives them away, on any host: people run proxies and own servers.
_TOKENS: _Rules = (
    (re.compile(r"/bot\d+(?::|%3A)[\w-]+"), "/bot{token}"),
    (re.compile(r"(/(?:webhooks|interactions)/\d{15,})/[^/]+"), r"\1/{token}"),
    (re.compile(r"(/file/bot\{token\})/.+"), r"\1/{path}"),
)
_NAMES: dict[str, _Rules] = {
    "discord": ((re.compile(r"(/attachments/\d+/\d+)/.+"), r"\1/{filename}"),),
    "github": (
        (re.compile(r"/repos/[^/]+/[^/]+"), "/repos/{owner}/{repo}"),
        (re.compile(r"/(users|orgs|teams|branches|tags|labels)/[^/]+"), r"/\1/{name}"),
        (re.compile(r"/(contents|refs?|trees|compare|commits)/.+"), r"/\1/{path}"),
    ),
    "reddit": ((re.compile(r"/(r|u|user)/[^/]+"), r"/\1/{name}"),),
    "slack": (
        (re.compile(r"^/(services|commands|actions|workflows|triggers)/.+"), r"/\1/{token}"),
    ),
    "x": ((re.compile(r"/username/[^/]+"), "/username/{name}"),),
}


def endpoint_of(host: str, path: str) -> str:
    """Return the endpoint template of a path, at most 200 characters.

    A replaced part is named after the part before it: ``/channels/{channel_id}/messages``. Query
    and fragment are left out. Version numbers (``/v10``, ``/2``) stay.
    """
    path = re.split("[?#]", path, maxsplit=1)[0]
    for pattern, template in (*_TOKENS, *_NAMES.get(platform_of_host(host).name, ())):
        path = pattern.sub(template, path)
    parts = path.strip("/").split("/")[:_MAX_SEGMENTS]
    shown = [_shown(parts, index) for index in range(len(parts))]
    return f"/{'/'.join(shown)}"[:_MAX_LENGTH]


def _shown(parts: list[str], index: int) -> str:
    part = parts[index]
    if part.startswith("{") and part.endswith("}") and part[1:-1].isalpha():
        return part
    is_version = index == 0 and _VERSION.fullmatch(part) is not None
    if is_version or part.startswith("bot{token}") or _ID.fullmatch(part) is None:
        return part
    return f"{{{_name_after(parts[index - 1] if index else '')}}}"


def _name_after(part: str) -> str:
    if part in _NOUNS:
        return _NOUNS[part]
    if _NOUN.fullmatch(part) is None:
        return "id"
    return f"{part.removesuffix('s').replace('-', '_')}_id"
