"""Lines -> file, pipe or terminal.

A log call puts its line into a ring (``ring_sink``, ``ring``); a thread (``writer``) takes lines
out and hands them to an output (``files``, ``streams``); what a dead process has left in its ring
is written by the next one (``recovery``).
"""
