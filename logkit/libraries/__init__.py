"""Log records of libraries -> events with named fields."""

from __future__ import annotations

from logkit.libraries.records import options, recognise

__all__ = ["options", "recognise"]
