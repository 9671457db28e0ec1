"""What single platforms say in a way of their own: functions of one answer for the table."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from logkit.headers import plain_headers
from logkit.rate_limits import waits
from logkit.rate_limits.answer import dig
from logkit.rate_limits.budgets import FIELD_FIRST, header_budgets
from logkit.rate_limits.model import Budget
from logkit.rate_limits.quantities import duration_ms, instant_ms, moment, whole_ms
from logkit.rate_limits.structured import positive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logkit.rate_limits.answer import Answer
    from logkit.rate_limits.model import Kind
    from logkit.rate_limits.waits import Wait

FLOOD_ERROR = re.compile(r"(?:FLOOD|SLOWMODE|TAKEOUT)\w{0,40}_([0-9]{1,9})")
"""Telegram's MTProto errors, such as ``FLOOD_WAIT_31``; the number is seconds."""

_OPENROUTER_POLICY = re.compile(r"Rate limit exceeded: ([\w-]{1,100})")


def common_waits(answer: Answer) -> Iterator[Wait]:
    """Yield ``retry_after_ms`` and ``retry_after`` (seconds), as Matrix and Discord send them."""
    yield from waits.milliseconds(answer.at("retry_after_ms"))
    yield from waits.seconds(answer.at("retry_after"))


def telegram_waits(answer: Answer) -> Iterator[Wait]:
    """Yield ``parameters.retry_after``."""
    yield from waits.seconds(answer.at("parameters", "retry_after"))


def flood_waits(answer: Answer) -> Iterator[Wait]:
    """Yield the seconds at the end of an MTProto error's name."""
    if found := FLOOD_ERROR.fullmatch(str(answer.at("error_message"))):
        yield from waits.seconds(found[1])


def reddit_waits(answer: Answer) -> Iterator[Wait]:
    """Yield ``json.ratelimit``, which comes with status 200."""
    yield from waits.seconds(answer.at("json", "ratelimit"))


def gemini_waits(answer: Answer) -> Iterator[Wait]:
    """Yield the ``retryDelay`` of ``google.rpc.RetryInfo``, such as ``34.07s``."""
    for detail in _details(answer, "RetryInfo"):
        delay = detail.get("retryDelay")
        yield from waits.milliseconds(duration_ms(delay) if isinstance(delay, str) else None)


def gemini_budgets(answer: Answer) -> dict[str, Budget]:
    """Return the quotas of ``google.rpc.QuotaFailure`` by their id."""
    violations = [
        violation
        for detail in _details(answer, "QuotaFailure")
        for violation in detail.get("violations") or ()
        if isinstance(violation, dict)
    ]
    budgets = {}
    for violation in violations[:64]:
        policy, limit = _word(violation.get("quotaId")), positive(violation.get("quotaValue"))
        if policy or limit is not None:
            budgets[(policy or "quota").replace("-", "_")] = Budget(limit=limit, policy=policy)
    return budgets


def openrouter_budgets(answer: Answer) -> dict[str, Budget]:
    """Return the budgets of the headers that OpenRouter quotes inside its error body."""
    quoted = plain_headers(answer.at("error", "metadata", "headers"))
    merged = replace(answer, headers={**answer.headers, **quoted})
    return header_budgets(merged, FIELD_FIRST, "by_magnitude")


def gitlab_budgets(answer: Answer) -> dict[str, Budget]:
    """Return the budget of the headers, its reset also where only ``ResetTime`` tells it."""
    budgets = header_budgets(answer, FIELD_FIRST, "epoch_seconds")
    at_ms = instant_ms(answer.header("ratelimit-resettime"))
    budget = budgets.get("", Budget())
    if budget.reset_after_ms is None and at_ms is not None:
        left_ms = whole_ms(max(at_ms - answer.sent_ms, at_ms * 0))
        budgets[""] = replace(budget, reset_after_ms=left_ms, reset_at=moment(at_ms))
    return budgets


def discord_names(answer: Answer, budget: Budget | None) -> dict[str, str | None]:
    """Return Discord's bucket and scope; a global limit names no bucket."""
    is_global = answer.at("global") is True or answer.header("x-ratelimit-global") == "true"
    return {
        "bucket": answer.header("x-ratelimit-bucket"),
        "scope": answer.header("x-ratelimit-scope") or ("global" if is_global else None),
    }


def github_names(answer: Answer, budget: Budget | None) -> dict[str, str | None]:
    """Return GitHub's resource, and whether its limit on bursts (the secondary one) was hit."""
    is_refused = answer.status in {403, 429} and "retry-after" in answer.headers
    has_some_left = budget is not None and not budget.is_exhausted
    is_secondary = (is_refused and has_some_left) or _says(answer, "secondary rate", "abuse detec")
    return {
        "bucket": answer.header("x-ratelimit-resource"),
        "scope": "secondary" if is_secondary else None,
    }


def gitlab_names(answer: Answer, budget: Budget | None) -> dict[str, str | None]:
    """Return the name of GitLab's throttle."""
    return {"bucket": answer.header("ratelimit-name")}


def openrouter_names(answer: Answer, budget: Budget | None) -> dict[str, str | None]:
    """Return the rule that OpenRouter's message names."""
    found = _OPENROUTER_POLICY.search(_word(answer.at("error", "message")) or "")
    return {"policy": found[1] if found else None}


def stripe_names(answer: Answer, budget: Budget | None) -> dict[str, str | None]:
    """Return Stripe's reason."""
    return {"policy": answer.header("stripe-rate-limited-reason")}


def twitch_names(answer: Answer, budget: Budget | None) -> dict[str, str | None]:
    """Return what Twitch counts."""
    return {"unit": "points"} if budget is not None else {}


def discord_kind(answer: Answer, budget: Budget | None) -> Kind | None:
    """Tell a ban of the address, which Cloudflare answers, from a full bucket.

    A 429 that did not pass Discord's own proxy (no ``Via``) or is no JSON is the edge's, as
    discord.py sees it; one with headers of a bucket is Discord's in any case.
    """
    if answer.status != 429:
        return None
    is_text = bool(answer.text) and not answer.text.startswith("{")
    has_bucket = budget is not None or any(n.startswith("x-ratelimit-") for n in answer.headers)
    is_edge = is_text or not answer.header("via")
    return "banned" if is_edge and not has_bucket else None


def github_kind(answer: Answer, budget: Budget | None) -> Kind | None:
    """Tell a 403 that is a limit from one that is a missing permission."""
    if answer.status != 403:
        return None
    is_exhausted = budget is not None and budget.is_exhausted
    is_limit = is_exhausted or "retry-after" in answer.headers
    return "rate_limited" if is_limit or _says(answer, "rate limit", "abuse detec") else None


def _says(answer: Answer, *phrases: str) -> bool:
    text = (_word(answer.at("message")) or "").lower()
    return any(phrase in text for phrase in phrases)


def _details(answer: Answer, kind: str) -> Iterator[dict[str, Any]]:
    details = answer.at("error", "details")
    for detail in details[:64] if isinstance(details, list) else ():
        if str(dig(detail, "@type")).endswith(kind):
            yield detail


def _word(value: object) -> str | None:
    return value[:4_096] if isinstance(value, str) else None
