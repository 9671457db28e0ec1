"""Metrics of this process, derived from events as they are logged; nothing is counted until asked.

``table`` names them, ``rules`` says how an event becomes numbers, ``derivation`` does it.
"""

from __future__ import annotations

from logkit.metrics.derivation import deriver
from logkit.metrics.registry import registry
from logkit.metrics.table import METRICS, Metric

__all__ = ["METRICS", "Metric", "deriver", "registry"]
