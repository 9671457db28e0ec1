"""What a server's answer says about its rate limits, for every platform in the same words."""

from __future__ import annotations

from logkit.rate_limits.model import Budget, Kind, RateLimit
from logkit.rate_limits.parser import parse

__all__ = ["Budget", "Kind", "RateLimit", "parse"]
