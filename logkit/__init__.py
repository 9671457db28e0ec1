"""Structured logging for bots in production."""
