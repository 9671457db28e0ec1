"""The sections of an incident report, each from its own queries."""
