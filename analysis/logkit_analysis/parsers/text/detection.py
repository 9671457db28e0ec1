"""Which format a log has, told from a sample of its lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logkit_analysis.parsers.choice import Choice
from logkit_analysis.parsers.text.layout import JSON
from logkit_analysis.parsers.text.records import json_object, plain_text
from logkit_analysis.parsers.text.tracebacks import looks_like_continuation
from logkit_analysis.parsers.text.transports import TRANSPORTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logkit_analysis.parsers.text.formats import TextFormat
    from logkit_analysis.parsers.text.layout import FormatTable
    from logkit_analysis.parsers.text.transports import Transport

_HEAD_BYTES = 64 * 1024
_WINDOW_BYTES = 16 * 1024
_WINDOWS = 6
_HEAD_LINES = 500
_WINDOW_LINES = 100

# Of the lines that must begin a record, so many have to, or the log is of no known format.
_LEAST_SHARE = 0.3
_LEAST_SHARE_UNTELLING = 0.8
_TRANSPORT_SHARE = 0.9
# A format that says more wins over one that matches a few lines more.
_NEARLY_ALL = 0.9
# What must be there of a second format; fewer lines are dirt, and dirt is quarantined. In a short
# log one line of five is enough, and a format that says little must be as frequent in any log.
_LEAST_LINES_BESIDE = 3
_LEAST_SHARE_BESIDE_SHORT = 0.2
_LEAST_SHARE_BESIDE = 0.02
_LEAST_SHARE_BESIDE_JSON = 0.05
_MOST_BESIDE = 3


def choose(data: bytes, table: FormatTable) -> Choice:
    """Return the format of the lines of *data*."""
    lines = _sample(data)
    plain = _choose_plain(lines, table)
    if not lines:
        return plain
    for transport in TRANSPORTS:
        opened = [envelope for line in lines if (envelope := transport.open(line))]
        if len(opened) < len(lines) * _TRANSPORT_SHARE:
            continue
        inner = _choose_plain([envelope.text for envelope in opened], table)
        if _is_likelier(transport, inner, plain, lines):
            name = f"{transport.name}:{inner.name}" if inner.name else transport.name
            return Choice(name, len(lines), len(opened))
    return plain


def _is_likelier(
    transport: Transport, inner: Choice, plain: Choice, lines: Sequence[bytes]
) -> bool:
    """Return whether lines come by *transport* rather than being as they stand."""
    is_plain = plain.name is not None and "timed" not in plain.name.split("+")
    if transport.name == "syslog":
        # Its modern form looks like any line that begins with a time.
        return not (is_plain and lines[0][:1].isdigit())
    if transport.name == "docker":
        has_time = lines[0][:1].isdigit() or lines[0].startswith(b"[pod/")
        return inner.name is not None or (has_time and not is_plain)
    if transport.name == "pm2":
        # Without its process a line is like any that begins with a time.
        return inner.name == JSON or b"|" in lines[0].partition(b" ")[0]
    return True


def _choose_plain(lines: Sequence[bytes], table: FormatTable) -> Choice:
    lines = [line for line in lines if line.strip()]
    json_count = sum(
        line[:1] == b"{" and json_object(line, needs_time=False) is not None for line in lines
    )
    texts = [plain_text(line) for line in lines if line[:1] != b"{"]
    matches = {
        known.name: {index for index, text in enumerate(texts) if known.pattern.fullmatch(text)}
        for known in table.formats
    }
    # A log of errors may have hundreds of lines of traceback to each that begins a record.
    beginning = len(texts) - sum(map(looks_like_continuation, texts))
    chosen = _combine(table.formats, matches, max(1, beginning), json_count)
    begun: set[int] = set().union(*(matches[known.name] for known in chosen))
    others = [text for index, text in enumerate(texts) if index not in begun]
    is_multiline = any(known.is_multiline for known in chosen)
    continuing = sum(map(looks_like_continuation, others)) if is_multiline else 0
    line_count = len(lines) - continuing
    match_count = len(begun) + json_count
    if chosen and match_count < line_count * _LEAST_SHARE:
        chosen = []
    if not chosen:
        return Choice(JSON if json_count else None, len(lines), json_count)
    names = [*([JSON] if json_count else []), *(known.name for known in chosen)]
    return Choice("+".join(names), line_count, match_count)


def _combine(
    formats: Sequence[TextFormat], matches: dict[str, set[int]], text_count: int, json_count: int
) -> list[TextFormat]:
    """Return the formats that the lines are of, in the order of the table."""
    primary = _primary(formats, matches, text_count)
    if primary is None:
        return []
    covered = set(matches[primary.name])
    if json_count and len(covered) < _least_beside(json_count, _LEAST_SHARE_BESIDE_JSON):
        return []
    chosen, least = [primary], _least_beside(text_count, _LEAST_SHARE_BESIDE)
    rest = _others(formats, primary, matches, text_count)
    while rest and len(chosen) <= _MOST_BESIDE:
        second = _best(rest, matches, covered)
        if second is None or len(matches[second.name] - covered) < least:
            break
        chosen.append(second)
        covered |= matches[second.name]
        rest.remove(second)
    return [known for known in formats if known in chosen]


def _primary(
    formats: Sequence[TextFormat], matches: dict[str, set[int]], text_count: int
) -> TextFormat | None:
    """Return the format of most lines; one that says little must be that of nearly all."""
    telling = _best([f for f in formats if f.is_telling], matches, set())
    if telling and len(matches[telling.name]) >= text_count * _LEAST_SHARE_BESIDE:
        return telling
    vague = _best([f for f in formats if not f.is_telling], matches, set())
    is_enough = vague and len(matches[vague.name]) >= text_count * _LEAST_SHARE_UNTELLING
    return vague if is_enough else None


def _others(
    formats: Sequence[TextFormat],
    primary: TextFormat,
    matches: dict[str, set[int]],
    text_count: int,
) -> list[TextFormat]:
    """Return the formats that may stand beside *primary*."""
    frequent = max(1, text_count * _LEAST_SHARE_BESIDE_SHORT)
    return [
        known
        for known in formats
        if known is not primary
        and (
            known.is_telling
            or known.name == "timed"
            or len(matches[known.name] - matches[primary.name]) >= frequent
        )
    ]


def _least_beside(count: int, share: float) -> float:
    return max(min(_LEAST_LINES_BESIDE, count * _LEAST_SHARE_BESIDE_SHORT), count * share)


def _best(
    formats: Sequence[TextFormat], matches: dict[str, set[int]], covered: set[int]
) -> TextFormat | None:
    """Return the format that says most among those that match nearly as many lines as any."""
    counts = {known.name: len(matches[known.name] - covered) for known in formats}
    most = max(counts.values(), default=0)
    if not most:
        return None
    return next(known for known in formats if counts[known.name] >= most * _NEARLY_ALL)


def _sample(data: bytes) -> list[bytes]:
    """Return lines from the start and from some places on the way, without the blank ones."""
    head = data[:_HEAD_BYTES]
    lines = _whole_lines(head, _HEAD_LINES, is_end=len(data) <= _HEAD_BYTES)
    step = (len(data) - _HEAD_BYTES) // _WINDOWS
    if step > _WINDOW_BYTES:
        for place in range(_HEAD_BYTES, len(data) - _WINDOW_BYTES, step):
            begin = data.find(b"\n", place) + 1
            window = data[begin : begin + _WINDOW_BYTES]
            lines += _whole_lines(window, _WINDOW_LINES, is_end=False)
    return lines


def _whole_lines(data: bytes, most: int, *, is_end: bool) -> list[bytes]:
    """Return the first lines of *data* that are not blank; a last one may be cut."""
    lines = data.split(b"\n")
    whole = lines if is_end or len(lines) == 1 else lines[:-1]
    return [line for line in whole if line.strip()][:most]
