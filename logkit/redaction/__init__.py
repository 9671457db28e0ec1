"""Secrets are taken out before a line leaves the process.

By name at the call site (``names``), by value and by shape where lines are written (``batches``).
"""

from __future__ import annotations

from logkit.redaction.batches import redact, redact_text
from logkit.redaction.names import mask, masked_count, secret_names
from logkit.redaction.secrets import register_secret, secrets

__all__ = [
    "mask",
    "masked_count",
    "redact",
    "redact_text",
    "register_secret",
    "secret_names",
    "secrets",
]
