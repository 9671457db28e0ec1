"""Logs that are text: formats, records of several lines, container prefixes, detection."""
