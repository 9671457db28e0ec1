"""The wait that an exception of a client library carries."""

from __future__ import annotations

from datetime import timedelta
from math import isfinite

from logkit import rate_limits


def retry_after_s(error: BaseException) -> float:
    """Return the seconds for which the other side asked not to be called, 0 if it did not.

    Read are ``retry_after`` (discord.py, aiogram, python-telegram-bot: seconds or a timedelta) and
    the headers of ``response`` (httpx, requests, openai, anthropic).
    """
    told = getattr(error, "retry_after", None)
    if isinstance(told, timedelta):
        told = told.total_seconds()
    if isinstance(told, int | float) and isfinite(told):
        return max(0.0, float(told))
    response = getattr(error, "response", None)
    headers = getattr(response, "headers", None)
    if headers is None:
        return 0.0
    status = getattr(response, "status_code", None) or 429
    wait_ms = rate_limits.parse(host="", status=status, headers=headers).retry_after_ms
    return (wait_ms or 0) / 1_000
