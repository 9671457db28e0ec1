"""What stands in the place of a secret."""

from __future__ import annotations

MARK = "[redacted]"
_MARK = MARK.encode()


def mark_of(length: int) -> bytes:
    """Return the mark for a secret of *length* bytes, as long as that.

    Lines keep their length, so that positions in a batch, the longest line allowed and the lines
    that recovery looks for hold before and after.
    """
    return _MARK + b"*" * (length - len(_MARK)) if length >= len(_MARK) else b"*" * length
