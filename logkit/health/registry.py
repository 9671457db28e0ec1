"""The health checks of this process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from logkit.asking import running_loop
from logkit.forks import new_lock
from logkit.health.checks import Check
from logkit.loops import loops

if TYPE_CHECKING:
    from collections.abc import Callable

_lock = new_lock()
_checks: dict[str, Check] = {}


def check(
    name: str,
    fn: Callable[[], Any],
    *,
    critical: bool = True,
    timeout_s: float = 2.0,
    interval_s: float = 15.0,
) -> None:
    """Check a dependency at intervals; ``/readyz`` shows the last result.

    A change of the result is an event, ``health_checked``: at level error (warning if the check
    is not critical) when it fails, info when it passes. A check of the same name is replaced.

    Args:
        name: What is checked.
        fn: Called without arguments; may be a coroutine function, which runs in the event loop in
            which it was registered. It fails by raising or by returning ``False``.
        critical: Whether the bot is not ready while the check fails.
        timeout_s: Seconds after which a run is cut off and counts as failed.
        interval_s: Seconds between two runs.
    """
    loops.watch()
    new = Check(
        *(name, fn),
        is_critical=critical,
        timeout_s=timeout_s,
        interval_s=interval_s,
        loop=running_loop(),
    )
    remove(name)
    with _lock:
        _checks[name] = new
    new.start()


def remove(name: str) -> None:
    """Check *name* no more; a name that is not known is ignored."""
    with _lock:
        former = _checks.pop(name, None)
    if former is not None:
        former.stop()


def readiness() -> tuple[bool, dict[str, Any]]:
    """Return whether every critical check passes, and what each check found, by name.

    A check that has not ended yet does not pass.
    """
    with _lock:
        checks = list(_checks.values())
    is_ready = all(one.result is not None and one.result.is_ok for one in checks if one.is_critical)
    return is_ready, {one.name: _described(one) for one in checks}


def _described(one: Check) -> dict[str, Any]:
    if one.result is None:
        return {"status": "pending", "critical": one.is_critical}
    described: dict[str, Any] = {
        "status": "ok" if one.result.is_ok else "failed",
        "critical": one.is_critical,
        "duration_ms": one.result.duration_ms,
        "age_s": round(time.monotonic() - one.result.checked_at, 1),
    }
    if not one.result.is_ok:
        described |= {"error_type": one.result.error_type, "error": one.result.error}
    return described
