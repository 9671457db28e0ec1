"""The values that ``parse()`` returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["none", "rate_limited", "quota_exhausted", "overloaded", "banned"]


@dataclass(frozen=True, slots=True)
class Budget:
    """One budget of calls, tokens or points, as far as the answer tells it.

    Attributes:
        limit: Size of the budget, in ``unit``.
        remaining: What is left; negative only where there is no limit to compare it with.
        reset_after_ms: Milliseconds until the budget is whole again, rounded up.
        reset_at: When it is; ``None`` for an absolute time finer than a millisecond.
        used: What is spent.
        unit: ``requests``, ``tokens``, ``input_tokens``, ``points`` ...
        bucket: The platform's name of the budget, such as a route's hash or a model.
        scope: Whom it binds: ``user``, ``global``, ``shared``, ``secondary`` ...
        policy: Name of the rule that the budget follows.
        window_s: Length of the window in seconds.
    """

    limit: int | None = None
    remaining: int | None = None
    reset_after_ms: int | None = None
    reset_at: datetime | None = None
    used: int | None = None
    unit: str | None = None
    bucket: str | None = None
    scope: str | None = None
    policy: str | None = None
    window_s: int | None = None

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing is left."""
        return self.remaining is not None and self.remaining <= 0

    @property
    def share_left(self) -> float:
        """``remaining`` / ``limit``, or infinity where one of them is not known."""
        if self.remaining is None or not self.limit:
            return float("inf")
        return self.remaining / self.limit

    def as_dict(self) -> dict[str, Any]:
        """Return all attributes, the time as RFC 3339 in UTC."""
        return {
            "limit": self.limit,
            "remaining": self.remaining,
            "reset_after_ms": self.reset_after_ms,
            "reset_at": None if self.reset_at is None else _rfc3339(self.reset_at),
            "used": self.used,
            "unit": self.unit,
            "bucket": self.bucket,
            "scope": self.scope,
            "policy": self.policy,
            "window_s": self.window_s,
        }


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What one answer says about limits.

    Attributes:
        platform: ``discord``, ``telegram``, ``openai`` ..., ``generic`` where it is not known.
        kind: Why the call was refused, or ``none``.
        retry_after_ms: Milliseconds that the server asks to wait, rounded up.
        invalid_request: Whether the answer counts towards Discord's limit of 10,000 invalid
            requests in 10 minutes; ``None`` on other platforms.
        rate_limit: The budget that ran out or is nearest to it.
        limits: All budgets by name, where there is more than one.
    """

    platform: str = "generic"
    kind: Kind = "none"
    retry_after_ms: int | None = None
    invalid_request: bool | None = None
    rate_limit: Budget | None = None
    limits: Mapping[str, Budget] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain JSON values; what is not known is ``None``."""
        named = {name: budget.as_dict() for name, budget in self.limits.items()}
        return {
            "kind": self.kind,
            "retry_after_ms": self.retry_after_ms,
            "invalid_request": self.invalid_request,
            "rate_limit": None if self.rate_limit is None else self.rate_limit.as_dict(),
            "limits": named or None,
        }

    def fields(self) -> dict[str, Any]:
        """Return the event fields, those that are known."""
        budget = self.rate_limit or Budget()
        fields = {
            "rate_limit_kind": self.kind,
            "retry_after_ms": self.retry_after_ms,
            "rate_limit_limit": budget.limit,
            "rate_limit_remaining": budget.remaining,
            "rate_limit_reset_after_ms": budget.reset_after_ms,
            "rate_limit_window_ms": None if budget.window_s is None else budget.window_s * 1_000,
            "rate_limit_bucket": budget.bucket or budget.policy,
            "rate_limit_scope": budget.scope,
            "rate_limit_unit": budget.unit,
        }
        return {name: value for name, value in fields.items() if value is not None}


def _rfc3339(moment: datetime) -> str:
    precision = "microseconds" if moment.microsecond % 1_000 else "milliseconds"
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
