"""Log content made safe for a terminal: what it says is shown, never obeyed."""

from __future__ import annotations

import re

# C0 and C1 controls, line and paragraph separators, and the characters that reorder or hide
# text (bidi controls, zero width, tags): a log line must not move the cursor, recolour or restate
# its neighbours. The joiners U+200C and U+200D stay, since emoji and several scripts need them.
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escape_controls(text: str) -> str:
    """Return *text* with each control or invisible character written as an escape.

    A backslash itself stays as it is: the result is for reading, not for decoding.
    """
    return UNSAFE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
