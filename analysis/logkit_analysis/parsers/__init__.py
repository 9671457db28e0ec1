"""Bytes of complete lines to columns of events, or to rejects with a reason."""
