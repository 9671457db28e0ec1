"""A bot that waits at its end for as long as there is something to wait for."""

from __future__ import annotations

# Code for the bot: where it would wait 5 s, ten minutes are too long for any test.
PATIENT = """
import logkit.sinks.ring_sink, logkit.sinks.writer
logkit.sinks.ring_sink._CLOSE_TIMEOUT_S = logkit.sinks.writer._PATIENCE_S = 600
"""
