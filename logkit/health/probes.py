"""Probes for what bots usually depend on: each function returns one to give to ``check()``."""

from __future__ import annotations

import shutil
import socket
from typing import TYPE_CHECKING, Any, Protocol
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from logkit.errors import MissingExtraError
from logkit.health.checks import CheckFailedError
from logkit.loops import loops
from logkit.queues import oldest_ms

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

_AGENT = {"User-Agent": "logkit-health"}


class Pinged(Protocol):
    """A client with ``ping()``, sync or async, as those of Redis have it."""

    def ping(self) -> Any:
        """Ask whether the server is there."""


def http(url: str, *, max_status: int = 399, timeout_s: float = 2.0) -> Callable[[], None]:
    """Return a probe that fails unless a GET request of *url* is answered below *max_status* + 1.

    Raises:
        ValueError: The URL begins neither with ``http:`` nor with ``https:``.
    """
    if not url.startswith(("http:", "https:")):
        raise ValueError(f"{url!r} is no http or https address")

    def probe() -> None:
        try:
            with urlopen(Request(url, headers=_AGENT), timeout=timeout_s) as answer:  # noqa: S310
                status = answer.status
        except HTTPError as error:
            status = error.code
            error.close()
        if status > max_status:
            raise CheckFailedError(f"status {status}")

    return probe


def tcp(host: str, port: int, *, timeout_s: float = 2.0) -> Callable[[], None]:
    """Return a probe that fails unless *port* of *host* takes connections."""

    def probe() -> None:
        socket.create_connection((host, port), timeout_s).close()

    return probe


def ping(client: Pinged) -> Callable[[], Any]:
    """Return a probe that fails if ``client.ping()``, sync or async, raises or is ``False``."""
    return lambda: client.ping()


def queue_age(name: str, max_s: float) -> Callable[[], None]:
    """Return a probe that fails while an item of a watched queue has waited longer than *max_s*."""

    def probe() -> None:
        try:
            age_s = (oldest_ms(name) or 0.0) / 1_000
        except KeyError:
            raise CheckFailedError(f"no queue {name!r} is watched") from None
        if age_s > max_s:
            raise CheckFailedError(f"the oldest item has waited {age_s:.1f} s")

    return probe


def loop_lag(max_ms: float = 1_000.0) -> Callable[[], None]:
    """Return a probe that fails while a watched event loop has not answered for *max_ms*."""

    def probe() -> None:
        lag_ms = loops.delay_s() * 1_000
        if lag_ms > max_ms:
            raise CheckFailedError(f"the event loop has not answered for {lag_ms:.0f} ms")

    return probe


def disk_space(path: str | os.PathLike[str], min_free_bytes: int) -> Callable[[], None]:
    """Return a probe that fails while the disk of *path* has less than *min_free_bytes* left."""

    def probe() -> None:
        free_bytes = shutil.disk_usage(path).free
        if free_bytes < min_free_bytes:
            raise CheckFailedError(f"{free_bytes:,} bytes are free")

    return probe


def memory(max_ratio: float = 0.9) -> Callable[[], None]:
    """Return a probe that fails while memory exceeds a share of its limit, 0 to 1.

    Raises:
        MissingExtraError: psutil is not installed.
    """
    try:
        from logkit.resources.process import ProcessSampler
    except ImportError as error:
        raise MissingExtraError("health.memory()", "metrics") from error
    sampler = ProcessSampler()

    def probe() -> None:
        sample = sampler.sample()
        ratio = sample["rss_bytes"] / sample["rss_limit_bytes"]
        if ratio > max_ratio:
            raise CheckFailedError(f"memory is at {ratio:.0%} of its limit")

    return probe
