"""What is said about results, on stderr."""

from __future__ import annotations

import sys

from logkit_analysis.renderers.escaping import escape_controls


def note(text: str) -> None:
    """Say *text* on stderr as one line; control characters in it are escaped."""
    _write(text)


def error(text: str, *, hint: str | None = None) -> None:
    """Say what went wrong and, on a line of its own, what to do about it."""
    first, _, rest = text.partition("\n")
    for line in filter(None, (f"logkit: {first}", rest and f"  {rest}", hint and f"  {hint}")):
        _write(line)


def _write(text: str) -> None:
    line = " ".join(escape_controls(part) for part in text.splitlines())
    try:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
    except OSError:
        # A closed stderr must not turn a good result into a failure.
        return
