"""``parse()``: one answer -> what it says about limits."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from logkit.rate_limits import waits
from logkit.rate_limits.answer import answer_of
from logkit.rate_limits.budgets import tightest
from logkit.rate_limits.model import Budget, RateLimit
from logkit.rate_limits.platforms import platform_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from logkit.rate_limits.answer import Answer


def parse(
    *,
    host: Any,
    status: int | None,
    headers: Any,
    body: Any = None,
    received_at: datetime | str | float | None = None,
) -> RateLimit:
    """Return what an answer says about rate limits. Pure but for the clock, and never raises.

    Where several sources tell a wait, the body comes before ``retry-after-ms`` and that before
    ``Retry-After``; where two differ by more than a second the larger one counts, else the finer
    one. The words of an error message are read only where nothing else tells a wait.

    Args:
        host: Name or URL of the server; ``None`` for an event or a protocol without HTTP.
        status: HTTP status, or a protocol's error code.
        headers: Of any library: mapping or pairs, text or bytes, in any letter case.
        body: Parsed JSON, text or bytes; ``None`` if it was not read.
        received_at: When the answer came: a time (UTC if naive), RFC 3339 text or seconds since
            1970. Default: now.
    """
    try:
        return _rate_limit(answer_of(host, status, headers, body, received_at))
    except Exception:  # noqa: BLE001 - headers and bodies are anything, also objects that raise
        return RateLimit()


def _rate_limit(answer: Answer) -> RateLimit:
    platform = platform_of(answer)
    budgets = platform.budgets(answer)
    main = tightest(budgets)
    kind = platform.kind_of(answer, main)
    names: dict[str, Any] = {k: v for k, v in platform.names(answer, main).items() if v}
    named = replace(main or Budget(), **names)
    wait_ms = waits.agreed_ms(chain(platform.waits(answer), waits.header_waits(answer)))
    if wait_ms is None and kind == "rate_limited" and main is not None and main.is_exhausted:
        wait_ms = main.reset_after_ms
    if wait_ms is None and kind in {"rate_limited", "overloaded"}:
        texts = list(waits.messages(answer))
        wait_ms = waits.spoken_ms(texts)
        if main is None:
            named = replace(waits.spoken_budget(texts) or Budget(), **names)
    return RateLimit(
        platform=platform.name,
        kind=kind,
        retry_after_ms=wait_ms,
        invalid_request=_is_invalid(answer) if platform.name == "discord" else None,
        rate_limit=None if named == Budget() else named,
        limits=_by_name(budgets) if len(budgets) > 1 else {},
    )


def _is_invalid(answer: Answer) -> bool:
    """Return whether Discord counts the answer among the address's invalid requests."""
    is_shared = answer.header("x-ratelimit-scope").lower() == "shared"
    return answer.status in {401, 403} or (answer.status == 429 and not is_shared)


def _by_name(budgets: Mapping[str, Budget]) -> dict[str, Budget]:
    return {name or "default": budget for name, budget in budgets.items()}
