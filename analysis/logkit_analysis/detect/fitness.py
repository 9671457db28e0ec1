"""Is a log stream fit for analysis? Counts of what is missing in, findings with a remedy out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Row = dict[str, Any]
Verdict = Literal["unfit", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a stream.

    Attributes:
        verdict: ``unfit`` where answers would mislead, ``warning`` where some will be missing.
        check: What was looked at.
        service: Whose lines.
        count: How many lines, requests or values.
        of: Out of how many; ``None`` where that says nothing.
        detail: What was seen.
        remedy: What to change.
    """

    verdict: Verdict
    check: str
    service: str | None
    count: int
    of: int | None
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True)
class _Need:
    """A field that should not be missing: from which share on it is a warning, and unfit."""

    column: str
    of: str
    warning: float
    unfit: float
    detail: str
    remedy: str


_NEVER = 2.0
_CONFIGURE = "log through logkit.configure(service), which writes it on every line"
_NEEDS = (
    _Need("no_level", "lines", 0.0, 0.05, "lines have no level", _CONFIGURE),
    _Need(
        "no_event", "lines", 0.05, 0.5, "lines have no event name", "log.info('noun_verbed', ...)"
    ),
    _Need(
        "no_instance",
        "lines",
        0.01,
        _NEVER,
        "lines have no instance or seq: loss is not seen",
        _CONFIGURE,
    ),
    _Need(
        "no_duration",
        "requests",
        0.2,
        0.9,
        "requests have no duration: latency is not known",
        "with logkit.timed(event), or logkit.instrument()",
    ),
    _Need(
        "no_correlation_id",
        "requests",
        0.2,
        0.9,
        "requests have no correlation id: actions cannot be traced",
        "with logkit.correlation() around each update or command",
    ),
    _Need(
        "no_error_type",
        "failures",
        0.2,
        _NEVER,
        "failures tell neither a status nor an error type",
        "log.exception(event) in the handler, instead of log.error",
    ),
    _Need(
        "raw_endpoints",
        "requests",
        0.01,
        0.1,
        "requests have an endpoint with ids in it: each is a group of its own",
        "endpoint='/users/{user_id}', or logkit.instrument()",
    ),
)
_MOST_EVENTS = 500
_MOST_ENDPOINTS = 500
_REMEDIES = {
    "missing_timestamp": "write an RFC 3339 time with zone on every line",
    "gap": "was the bot down, or is a file missing? logkit ingest it",
    "seq_holes": "raise the ring's size or keep more backups; logkit_stats counts the drops",
    "duplicates": "ingest each stream once: not a file and its copy from a log shipper",
    "clock_skew": "run NTP on the host; write times with their zone (Z)",
}
_UNFIT_SHARES = {
    "missing_timestamp": 0.01,
    "seq_holes": 0.01,
    "duplicates": 0.01,
    "clock_skew": 0.001,
}
_REJECTED_SHARE = 0.01


def judge(
    fields: Sequence[Row], quality: Sequence[Row], secrets: Sequence[Row], rejected_line_count: int
) -> list[Finding]:
    """Return what is wrong, the worst first.

    Args:
        fields: Rows of `missing_fields`.
        quality: Rows of `data_quality`.
        secrets: Rows of `plain_secrets`.
        rejected_line_count: Lines that are no events.
    """
    rows_of = {row["service"]: row["lines"] for row in fields}
    found = [*_missing(fields), *_quality(quality, rows_of), *_secrets(secrets)]
    found += _rejects(rejected_line_count, sum(rows_of.values()))
    return sorted(found, key=lambda one: (one.verdict, one.check, one.service or "", -one.count))


def _missing(fields: Sequence[Row]) -> Iterator[Finding]:
    for row in fields:
        service = row["service"]
        if service is None:
            remedy = 'logkit.configure(service), or fields = { service = "..." } of a format'
            yield Finding(
                "unfit", "no_service", None, row["lines"], None, "lines have no service", remedy
            )
        for need in _NEEDS:
            count, of = row[need.column], row[need.of]
            if of and count > need.warning * of:
                verdict: Verdict = "unfit" if count > need.unfit * of else "warning"
                yield Finding(verdict, need.column, service, count, of, need.detail, need.remedy)
        for name, most in (("events", _MOST_EVENTS), ("endpoints", _MOST_ENDPOINTS)):
            if row[name] > most:
                detail = f"different {name}: values belong into fields of their own"
                remedy = "log.info('user_joined', user_id=...), no f-strings"
                yield Finding("unfit", f"many_{name}", service, row[name], None, detail, remedy)


def _quality(quality: Sequence[Row], rows_of: dict[str | None, int]) -> Iterator[Finding]:
    for row in quality:
        check = row["check"]
        if check not in _REMEDIES:
            continue
        rows = rows_of.get(row["service"], 0)
        is_unfit = row["count"] > _UNFIT_SHARES.get(check, _NEVER) * max(rows, 1)
        verdict: Verdict = "unfit" if check in _UNFIT_SHARES and is_unfit else "warning"
        where = f"{row['instance']}: " if row["instance"] else ""
        yield Finding(
            verdict,
            check,
            row["service"],
            row["count"],
            rows or None,
            f"{where}{row['detail']}",
            _REMEDIES[check],
        )


def _secrets(secrets: Sequence[Row]) -> Iterator[Finding]:
    for row in secrets:
        place = f"{row['last_file']} at byte {row['last_offset']}"
        detail = f"{row['kind']} in {row['field']} of {row['event']}, e.g. {place}"
        remedy = "revoke it, it is on the disk; then logkit.configure(redact=True)"
        yield Finding("unfit", "plain_secret", row["service"], row["lines"], None, detail, remedy)


def _rejects(rejected: int, rows: int) -> Iterator[Finding]:
    if rejected:
        verdict: Verdict = "unfit" if rejected > _REJECTED_SHARE * (rows + rejected) else "warning"
        remedy = "logkit rejects shows them with their reasons"
        detail = "lines are no events"
        yield Finding(verdict, "rejected", None, rejected, rows + rejected, detail, remedy)
