"""Resources of the process: how much it uses, and how much it may."""

from __future__ import annotations

from logkit.resources.sampler import start, stop

__all__ = ["start", "stop"]
