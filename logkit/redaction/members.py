"""Secrets that are no text: lists, objects and numbers under a secret's name, inside others."""

from __future__ import annotations

import re
from json import JSONDecoder

from logkit.redaction.marks import mark_of
from logkit.redaction.names import is_password_name, is_secret_name
from logkit.redaction.shapes import is_nested, name_before

_MEMBER = re.compile(rb'":(?=[\[{0-9-])')
_end_of_value = JSONDecoder().raw_decode


def mask_members(line: bytes) -> tuple[bytes, int]:
    """Return *line* with a text of the same length for each of these, and how many there were."""
    if not is_nested(line):
        return line, 0
    spans: list[tuple[int, int]] = []
    for found in _MEMBER.finditer(line):
        if found.start() >= (spans[-1][1] if spans else 0) and _is_secret(found):
            spans.append((found.end(), _end(line, found.end())))
    if not spans:
        return line, 0
    masked = bytearray(line)
    for start, end in spans:
        masked[start:end] = _text_of(end - start)
    return bytes(masked), len(spans)


def _is_secret(found: re.Match[bytes]) -> bool:
    name, _ = name_before(found)
    is_container = found.string[found.end()] in b"[{"
    return is_secret_name(name) if is_container else is_password_name(name)


def _end(line: bytes, start: int) -> int:
    try:
        # As Latin-1, in which each byte is one character.
        return _end_of_value(line.decode("latin-1"), start)[1]
    except (ValueError, RecursionError):  # no JSON, as in a text that looks like it
        return start


def _text_of(length: int) -> bytes:
    if length < len('""'):
        return b"0" * length
    return b'"%s"' % mark_of(length - 2)
