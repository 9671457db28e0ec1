"""Structured logging for bots in production.

``import logkit`` loads nothing else: each public name is fetched at its first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logkit.breaker import CircuitBreaker
    from logkit.config import configure, flush, stats
    from logkit.context import bind, correlation, fresh
    from logkit.diagnosis import Diagnosis, diagnose
    from logkit.errors import (
        CircuitOpenError,
        ConfigurationError,
        LogkitError,
        MissingExtraError,
        WaitTooLongError,
    )
    from logkit.instrumentation import instrument, uninstrument
    from logkit.logger import get_logger
    from logkit.middleware import AsgiMiddleware, WsgiMiddleware, aiohttp_middleware
    from logkit.propagation import extract, inject
    from logkit.rate_limit_guard import RateLimitGuard
    from logkit.redaction import register_secret
    from logkit.stdlib import JsonFormatter, dict_config
    from logkit.threads import ContextExecutor, wrap
    from logkit.timing import timed

__all__ = [
    "AsgiMiddleware",
    "CircuitBreaker",
    "CircuitOpenError",
    "ConfigurationError",
    "ContextExecutor",
    "Diagnosis",
    "JsonFormatter",
    "LogkitError",
    "MissingExtraError",
    "RateLimitGuard",
    "WaitTooLongError",
    "WsgiMiddleware",
    "aiohttp_middleware",
    "bind",
    "configure",
    "correlation",
    "diagnose",
    "dict_config",
    "extract",
    "flush",
    "fresh",
    "get_logger",
    "inject",
    "instrument",
    "register_secret",
    "stats",
    "timed",
    "uninstrument",
    "wrap",
]

_MODULES = {
    "AsgiMiddleware": "middleware",
    "CircuitBreaker": "breaker",
    "CircuitOpenError": "errors",
    "ConfigurationError": "errors",
    "ContextExecutor": "threads",
    "Diagnosis": "diagnosis",
    "JsonFormatter": "stdlib",
    "LogkitError": "errors",
    "MissingExtraError": "errors",
    "RateLimitGuard": "rate_limit_guard",
    "WaitTooLongError": "errors",
    "WsgiMiddleware": "middleware",
    "aiohttp_middleware": "middleware",
    "bind": "context",
    "configure": "config",
    "correlation": "context",
    "diagnose": "diagnosis",
    "dict_config": "stdlib",
    "extract": "propagation",
    "flush": "config",
    "fresh": "context",
    "get_logger": "logger",
    "inject": "propagation",
    "instrument": "instrumentation",
    "register_secret": "redaction",
    "stats": "config",
    "timed": "timing",
    "uninstrument": "instrumentation",
    "wrap": "threads",
}
_SUBMODULES = frozenset(
    {"breaker", "health", "queues", "rate_limits", "resources", "schema", "signals", "testing"}
)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        value = getattr(import_module(f"logkit.{_MODULES[name]}"), name)
    elif name in _SUBMODULES:
        value = import_module(f"logkit.{name}")
    else:
        raise AttributeError(f"module 'logkit' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_SUBMODULES})
