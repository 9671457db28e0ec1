"""The wait that an exception of a client library carries."""

from __future__ import annotations

from datetime import timedelta

from logkit import rate_limits
from logkit.plain import attribute_of

_ENDLESS_S = 1e9


def retry_after_s(error: BaseException) -> float:
    """Return the seconds for which the other side asked not to be called, 0 if it did not.

    Read are ``retry_after`` (discord.py, aiogram, python-telegram-bot: seconds or a timedelta) and
    the headers of ``response`` (httpx, requests, openai, anthropic).
    """
    told = attribute_of(error, "retry_after")
    if isinstance(told, timedelta):
        told = told.total_seconds()
    if isinstance(told, int | float) and abs(told) < _ENDLESS_S:
        return max(0.0, float(told))
    response = attribute_of(error, "response")
    headers = attribute_of(response, "headers")
    if headers is None:
        return 0.0
    status = attribute_of(response, "status_code") or 429
    wait_ms = rate_limits.parse(host="", status=status, headers=headers).retry_after_ms
    return (wait_ms or 0) / 1_000
