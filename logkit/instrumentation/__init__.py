"""Hooks into HTTP clients: each attempt of a call becomes one event."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from logkit import libraries
from logkit.instrumentation import aiohttp_client, httpx_clients, urllib3_pool
from logkit.instrumentation.hooks import hooks

if TYPE_CHECKING:
    from collections.abc import Callable

    from logkit.instrumentation.hooks import Hooks

__all__ = ["instrument", "uninstrument"]

_INSTALLERS: dict[str, Callable[[Hooks], None]] = {
    "aiohttp": aiohttp_client.install,
    "httpx": partial(httpx_clients.install, module="httpx"),
    "httpx2": partial(httpx_clients.install, module="httpx2"),
    "urllib3": urllib3_pool.install,
}


def instrument(*, inject: bool = False) -> tuple[str, ...]:
    """Log each attempt of a call by an HTTP client; return the names of the libraries hooked.

    Known are aiohttp (with it discord.py and its forks, aiogram, slack_sdk's async client), httpx,
    httpx2 (openai, anthropic, google-genai, python-telegram-bot) and urllib3 (requests), those of
    them that are installed. An attempt becomes ``api_call`` or, at status 400 and more or without
    an answer, ``api_call_failed``, when its body has been read or its response was closed. It has
    the correlation in which the call was made. The calls themselves go on as before.

    Calling it again changes only *inject*.

    Args:
        inject: Add ``X-Correlation-ID`` and ``traceparent`` to outgoing requests.
    """
    hooks.injects = inject
    if not hooks.is_active:
        hooks.is_active = True
        libraries.options.calls_are_logged = True
        hooks.libraries = tuple(name for name, install in _INSTALLERS.items() if _try(install))
    return hooks.libraries


def uninstrument() -> None:
    """Undo ``instrument()``."""
    libraries.options.calls_are_logged = False
    hooks.remove()


def _try(install: Callable[[Hooks], None]) -> bool:
    try:
        install(hooks)
    except Exception:  # noqa: BLE001 - not installed, broken, or a version without our hooks
        return False
    return True
