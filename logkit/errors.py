"""Exceptions that a bot may catch; a log call raises none of them."""

from __future__ import annotations


class LogkitError(Exception):
    """Base of every exception that logkit raises on purpose."""


class ConfigurationError(LogkitError, ValueError):
    """``configure()`` was given a value that it cannot use."""


class MissingExtraError(LogkitError, ImportError):
    """A part was asked for that needs an extra, and the extra is not installed."""

    def __init__(self, part: str, extra: str) -> None:
        super().__init__(f"{part} needs an extra: pip install 'botlogkit[{extra}]'")


class CircuitOpenError(LogkitError):
    """A circuit breaker let a call not through.

    Attributes:
        breaker: Name of the breaker.
        retry_in_s: Seconds until it lets a trial through, 0 if one is under way.
    """

    def __init__(self, breaker: str, retry_in_s: float) -> None:
        super().__init__(f"circuit breaker {breaker!r} is open; next trial in {retry_in_s:.1f} s")
        self.breaker = breaker
        self.retry_in_s = retry_in_s


class WaitTooLongError(LogkitError):
    """A rate limit asks for a longer wait than the bot wants to have.

    Attributes:
        bucket: What is limited.
        wait_s: Seconds that are left.
    """

    def __init__(self, bucket: str, wait_s: float) -> None:
        super().__init__(f"rate limit of {bucket!r} lasts for another {wait_s:.1f} s")
        self.bucket = bucket
        self.wait_s = wait_s
