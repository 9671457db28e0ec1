"""Logs as they grow, shown to a person: straight from the files, without a database."""
