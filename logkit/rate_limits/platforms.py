"""The table of platforms: which hosts they have, where they say what, what their words mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import translate
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from logkit.rate_limits import quirks
from logkit.rate_limits.answer import Answer
from logkit.rate_limits.budgets import (
    FIELD_FIRST,
    NAME_FIRST,
    TWITTER,
    header_budgets,
    standard_budgets,
)
from logkit.rate_limits.model import Budget, Kind
from logkit.rate_limits.quirks import FLOOD_ERROR
from logkit.rate_limits.waits import Wait

if TYPE_CHECKING:
    from collections.abc import Iterator

Budgets = Callable[[Answer], dict[str, Budget]]
Waits = Callable[[Answer], Iterable[Wait]]
Names = Callable[[Answer, Budget | None], Mapping[str, str | None]]
KindOf = Callable[[Answer, Budget | None], Kind | None]

_STATUS_KINDS: dict[int, Kind] = {
    420: "rate_limited",
    429: "rate_limited",
    503: "overloaded",
    529: "overloaded",
}
_WORDS: tuple[tuple[str | int, ...], ...] = (
    ("error",),
    ("error", "code"),
    ("error", "type"),
    ("error", "status"),
    ("error_code",),
    ("errcode",),
    ("errors", 0, "code"),
    ("errors", 0, "type"),
    ("json", "errors", 0, 0),
    ("title",),
    ("type",),
)

_epoch = partial(header_budgets, pattern=FIELD_FIRST, bare="epoch_seconds")
_left = partial(header_budgets, pattern=FIELD_FIRST, bare="seconds_left")
_twitter = partial(header_budgets, pattern=TWITTER, bare="epoch_seconds")
_anthropic = partial(header_budgets, pattern=NAME_FIRST, bare="epoch_seconds")


def _no_names(answer: Answer, budget: Budget | None) -> Mapping[str, str | None]:
    return {}


def _no_kind(answer: Answer, budget: Budget | None) -> Kind | None:
    return None


@dataclass(frozen=True, slots=True)
class Platform:
    """One row: how a platform tells its limits.

    Attributes:
        name: As it appears in ``platform`` or ``provider``.
        hosts: Host names, with ``*`` for any text.
        budgets: Reads the budgets by name.
        waits: Reads the waits in the body.
        names: Reads attributes of the main budget that no header of a budget holds.
        kind: Decides cases that neither a word nor the status decides.
        words: Codes and types in the body that mean a kind, whatever the status.
        statuses: Statuses that mean a kind here and not everywhere.
    """

    name: str
    hosts: tuple[str, ...]
    budgets: Budgets = standard_budgets
    waits: Waits = quirks.common_waits
    names: Names = _no_names
    kind: KindOf = _no_kind
    words: Mapping[str | int, Kind] = field(default_factory=dict)
    statuses: Mapping[int, Kind] = field(default_factory=dict)

    def kind_of(self, answer: Answer, budget: Budget | None) -> Kind:
        """Return why the call was refused: by a word, by the row's rule, by the status."""
        if self.words and answer.body is not None:
            found = {word for word in _words(answer) if word in self.words}
            for word, kind in self.words.items():
                if word in found:
                    return kind
        return (
            self.kind(answer, budget)
            or self.statuses.get(answer.status)
            or _STATUS_KINDS.get(answer.status, "none")
        )


_OPENAI_WORDS: dict[str | int, Kind] = {
    "insufficient_quota": "quota_exhausted",
    "billing_hard_limit_reached": "quota_exhausted",
    "billing_not_active": "quota_exhausted",
    "rate_limit_exceeded": "rate_limited",
}

GENERIC = Platform("generic", ())
MTPROTO = Platform("telegram_mtproto", (), waits=quirks.flood_waits)

PLATFORMS: tuple[Platform, ...] = (
    Platform(
        "discord",
        ("discord.com", "*.discord.com", "discordapp.com", "ptb.discordapp.com"),
        budgets=_epoch,
        names=quirks.discord_names,
        kind=quirks.discord_kind,
    ),
    Platform(
        "telegram",
        ("api.telegram.org",),
        waits=quirks.telegram_waits,
        words={429: "rate_limited"},
    ),
    Platform(
        "slack",
        ("slack.com", "*.slack.com"),
        words={
            "ratelimited": "rate_limited",
            "rate_limited": "rate_limited",
            "app_rate_limited": "rate_limited",
        },
    ),
    Platform(
        "github",
        ("api.github.com", "uploads.github.com", "github.com", "api.*.ghe.com"),
        budgets=_epoch,
        names=quirks.github_names,
        kind=quirks.github_kind,
        words={"RATE_LIMITED": "rate_limited", "RATE_LIMIT": "rate_limited"},
    ),
    Platform("gitlab", ("gitlab.com",), budgets=quirks.gitlab_budgets, names=quirks.gitlab_names),
    Platform(
        "azure_openai",
        ("*.openai.azure.com", "*.cognitiveservices.azure.com", "*.services.ai.azure.com"),
        budgets=_left,
        words=_OPENAI_WORDS,
    ),
    Platform("openai", ("api.openai.com", "*.api.openai.com"), budgets=_left, words=_OPENAI_WORDS),
    Platform(
        "anthropic",
        ("api.anthropic.com",),
        budgets=_anthropic,
        words={
            "overloaded_error": "overloaded",
            "rate_limit_error": "rate_limited",
            "billing_error": "quota_exhausted",
        },
        statuses={402: "quota_exhausted"},
    ),
    Platform(
        "gemini",
        ("generativelanguage.googleapis.com", "aiplatform.googleapis.com", "*-aiplatform.*"),
        budgets=quirks.gemini_budgets,
        waits=quirks.gemini_waits,
        words={"RESOURCE_EXHAUSTED": "rate_limited", "UNAVAILABLE": "overloaded"},
    ),
    Platform(
        "groq",
        ("api.groq.com",),
        budgets=_left,
        words=_OPENAI_WORDS,
        statuses={498: "overloaded"},
    ),
    Platform(
        "openrouter",
        ("openrouter.ai", "*.openrouter.ai"),
        budgets=quirks.openrouter_budgets,
        names=quirks.openrouter_names,
        words={429: "rate_limited", 402: "quota_exhausted"},
        statuses={402: "quota_exhausted"},
    ),
    Platform("twitch", ("api.twitch.tv",), budgets=_epoch, names=quirks.twitch_names),
    Platform(
        "reddit",
        ("reddit.com", "*.reddit.com"),
        budgets=_left,
        waits=quirks.reddit_waits,
        words={"RATELIMIT": "rate_limited"},
    ),
    Platform(
        "x",
        ("api.x.com", "*.api.x.com", "upload.x.com", "api.twitter.com", "upload.twitter.com"),
        budgets=_twitter,
        words={"UsageCapExceeded": "quota_exhausted", 88: "rate_limited"},
    ),
    Platform("mastodon", ("*mastodon*", "mstdn.*", "fosstodon.org", "hachyderm.io", "mas.to")),
    Platform("matrix", ("matrix.*", "*.matrix.org"), words={"M_LIMIT_EXCEEDED": "rate_limited"}),
    Platform("stripe", ("api.stripe.com", "files.stripe.com"), names=quirks.stripe_names),
    MTPROTO,
    GENERIC,
)
_BY_NAME = {platform.name: platform for platform in PLATFORMS}
_HOSTS = tuple(
    (re.compile("|".join(map(translate, platform.hosts))), platform)
    for platform in PLATFORMS
    if platform.hosts
)


def platform_of(answer: Answer) -> Platform:
    """Return the row of an answer's host, or the one that its form gives away.

    The form counts for hosts that nobody can list: proxies, own servers, protocols without HTTP.
    """
    by_host = platform_of_host(answer.host)
    return by_host if by_host is not GENERIC else _BY_NAME[_name_by_form(answer)]


@lru_cache(maxsize=1_024)
def platform_of_host(host: str) -> Platform:
    """Return the row of a host name in lower case, or that of no platform in particular."""
    return next((platform for hosts, platform in _HOSTS if hosts.match(host)), GENERIC)


def _name_by_form(answer: Answer) -> str:
    body, headers = answer.body, answer.headers
    if "x-ratelimit-bucket" in headers and "x-ratelimit-reset-after" in headers:
        return "discord"
    if "x-github-request-id" in headers:
        return "github"
    if not isinstance(body, Mapping):
        return "generic"
    if body.get("type") == "app_rate_limited":
        return "slack"
    if str(body.get("errcode")).startswith("M_"):
        return "matrix"
    if body.get("ok") is False and "error_code" in body:
        return "telegram"
    return (
        "telegram_mtproto" if FLOOD_ERROR.fullmatch(str(body.get("error_message"))) else "generic"
    )


def _words(answer: Answer) -> Iterator[str | int]:
    for path in _WORDS:
        word = answer.at(*path)
        if isinstance(word, str | int):
            yield word
