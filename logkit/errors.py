"""Exceptions that a bot may catch; a log call raises none of them."""

from __future__ import annotations


class LogkitError(Exception):
    """Base of every exception that logkit raises on purpose."""


class ConfigurationError(LogkitError, ValueError):
    """``configure()`` was given a value that it cannot use."""
