"""A triage as plain text: one screen, the same in a terminal and in a pipe."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from logkit_analysis.renderers.escaping import escape_controls

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from logkit_analysis.detect.troubles import Trouble
    from logkit_analysis.triage import Triage

_STATES = {
    "broken": "BROKEN   something is failing or slow right now",
    "at_risk": "AT RISK  nothing fails right now, but something will",
    "ok": "OK       nothing is broken right now",
    "no_data": "NO DATA  there are no events in this time",
}
_KINDS = {
    "latency": "slow",
    "error_ratio": "failing",
    "queue_depth": "queue",
    "cpu_percent": "cpu",
    "open_connections": "conns",
    "rate_limit_storm": "429s",
    "memory": "memory",
}
_CHECKS = {
    "clock_skew": "lines with a wrong clock",
    "duplicates": "copies",
    "gap": "silences of 5 minutes or more",
    "missing_timestamp": "lines without a time",
    "seq_holes": "lines lost",
}
_LABEL_WIDTH = 9
_MOST_TROUBLES = 6
_MOST_QUOTAS = 3
_NO_SERVICE = "no service"


def triage_text(found: Triage, zone: tzinfo, width: int) -> str:
    """Return the lines of *found*, wrapped to *width* cells."""
    lines = [_STATES[found.state]]
    for title, troubles in (
        ("Now", [one for one in found.troubles if one.is_open]),
        ("Over", [one for one in found.troubles if not one.is_open]),
    ):
        if troubles:
            lines += ["", title, *_troubles(troubles, zone, width)]
    if found.endpoints:
        lines += ["", "Worst endpoints", *_endpoints(found.endpoints)]
    if found.errors:
        lines += ["", "Most frequent errors"]
        lines += [line for row in found.errors for line in _error(row, zone, width)]
    if found.quotas:
        lines += ["", "Budgets"]
        lines += [line for row in found.quotas[:_MOST_QUOTAS] for line in _quota(row, zone, width)]
    if found.sides:
        lines += ["", "Us or the platform"]
        lines += [line for row in found.sides for line in _side(row, width)]
    lines += ["", *_labelled("Ban", _ban(found.ban), width)]
    lines += _labelled("Data", _quality(found), width)
    lines += ["", "Next", *(f"  {command}" for command in found.next_commands)]
    return "".join(f"{escape_controls(line)}\n" for line in lines)


def _troubles(troubles: list[Trouble], zone: tzinfo, width: int) -> Iterator[str]:
    if len(troubles) > _MOST_TROUBLES:
        yield f"  {len(troubles) - _MOST_TROUBLES} earlier ones (--format json has them all)"
    for one in troubles[-_MOST_TROUBLES:]:
        where = " ".join(filter(None, (one.service, one.subject)))
        text = f"{where}: {one.figures}, {_span(one, zone)}"
        yield from _labelled(_KINDS[one.kind], text, width)
        yield from _labelled("", f"{_blame(one)}: {one.because}", width)


def _blame(one: Trouble) -> str:
    return {"us": "us", "platform": "the platform", "unclear": "cause unclear"}[one.cause]


def _endpoints(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "  requests  errors    429s    p95_ms  endpoint"
    for row in rows:
        p95 = "" if row["p95_ms"] is None else f"{row['p95_ms']:,.0f}"
        name = " ".join(filter(None, (row["method"], row["endpoint"])))
        counts = f"{row['requests']:>10,}{row['errors']:>8,}{row['rate_limited']:>8,}{p95:>10}"
        yield f"{counts}  {name} ({row['service'] or _NO_SERVICE})"


def _error(row: dict[str, Any], zone: tzinfo, width: int) -> list[str]:
    names = (row["event"], row["template"], row["endpoint"], row["status_code"], row["error_type"])
    what = " ".join(str(name) for name in names if name is not None)
    service = row["service"] or _NO_SERVICE
    text = f"{what or 'no name'} ({service}), last {_moment(row['last_seen_at'], zone)}"
    return _wrapped(f"{row['errors']:>10,}  ", text, width)


def _quota(row: dict[str, Any], zone: tzinfo, width: int) -> list[str]:
    names = (row["provider"], row["model"], row["bucket"], row["unit"])
    what = " ".join(name for name in names if name is not None) or "no name"
    text = f"{what} ({row['service'] or _NO_SERVICE}): {row['state']}"
    if row["remaining"] is not None:
        size = "" if row["limit_size"] is None else f" of {row['limit_size']:,}"
        text += f", {row['remaining']:,}{size} left"
    if row["back_at"] is not None:
        text += f", back at {_moment(row['back_at'], zone)}"
    return _wrapped("  ", text, width)


def _side(row: dict[str, Any], width: int) -> list[str]:
    theirs = [
        f"{row['server_errors']:,} server errors and {row['timeouts']:,} timeouts",
        f"in {row['calls']:,} calls, {row['shared_limits']:,} shared 429s",
    ]
    if row["heartbeats"]:
        theirs.append(f", heartbeat p95 {row['heartbeat_p95_ms']:,.0f} ms")
    ours = f"{row['own_limits']:,} own 429s, {row['client_errors']:,} other 4xx, "
    ours += f"{row['exceptions']:,} other errors"
    if row["worst_loop_lag_ms"] is not None:
        ours += f", event loop at most {row['worst_loop_lag_ms']:,.0f} ms late"
    text = f"platform {' '.join(theirs).replace(' ,', ',')}; us {ours}"
    return _wrapped(f"  {row['service'] or _NO_SERVICE}: ", text, width)


def _ban(ban: dict[str, Any] | None) -> str:
    if ban is None:
        return "no calls to Discord in the last 10 minutes"
    text = f"{ban['invalid_requests']:,} of 10,000 invalid requests in the last 10 minutes"
    if ban["seconds_to_ban"] is not None:
        text += f"; banned in {ban['seconds_to_ban']:,.0f} s at this pace"
    return text


def _quality(found: Triage) -> str:
    counts = [f"{found.rejected_line_count:,} rejected lines"]
    counts += [
        f"{count:,} {_CHECKS.get(name, name)}" for name, count in sorted(found.quality.items())
    ]
    return ", ".join(counts)


def _span(one: Trouble, zone: tzinfo) -> str:
    start = _moment(one.started_at, zone)
    if one.ended_at is None:
        return f"since {start}"
    end = _moment(one.ended_at, zone)
    day = end[:11]
    return f"{start} until {end.removeprefix(day) if start.startswith(day) else end}"


def _moment(at: datetime, zone: tzinfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S}" + ("Z" if not local.utcoffset() else f"{local:%z}")


def _labelled(label: str, text: str, width: int) -> list[str]:
    return _wrapped(f"  {label:<{_LABEL_WIDTH}}", text, width)


def _wrapped(head: str, text: str, width: int) -> list[str]:
    indent = " " * (_LABEL_WIDTH + 2)
    return textwrap.wrap(
        head + text,
        max(width, 60),
        subsequent_indent=indent,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
