"""The post-incident report: ordered queries and findings become one document."""

from __future__ import annotations

from datetime import timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING

from logkit_analysis.reports import wording
from logkit_analysis.reports.document import Document, Queries, Section
from logkit_analysis.reports.figures import measure, severity, slowdown
from logkit_analysis.reports.sections import headline
from logkit_analysis.reports.sections.difference import what_differs
from logkit_analysis.reports.sections.impact import impact
from logkit_analysis.reports.sections.limits import rate_limits
from logkit_analysis.reports.sections.patterns import patterns
from logkit_analysis.reports.sections.people import people
from logkit_analysis.reports.sections.quality import data_quality
from logkit_analysis.reports.sections.timeline import timeline
from logkit_analysis.reports.sections.times import key_times
from logkit_analysis.reports.sections.traces import traces
from logkit_analysis.reports.sections.vitals import vitals

if TYPE_CHECKING:
    from logkit_analysis.reports.case import Case
    from logkit_analysis.reports.figures import Impact

_TICK = timedelta(microseconds=1)
_DIGEST = """
with

counted as (

    select
        service,
        instance,
        event,
        level,
        status_code,
        lk_bucket(60, timestamp) as bucket_at,
        count(*) as events,
        sum(lk_epoch(timestamp)) as ended_us,
        sum(cast(greatest(lk_started_us(timestamp, duration_ms), 0e0) as bigint)) as begun_us,
        sum(seq) as seqs

    from events

    where
        timestamp >= $since
        and timestamp < $until

    group by service, instance, event, level, status_code, lk_bucket(60, timestamp)

)

select
    cast(coalesce(sum(events), 0) as bigint) as events,
    printf('%016x', cast(sum(cast(md5_number_lower(concat_ws(
        '|',
        coalesce('=' || service, ''),
        coalesce('=' || instance, ''),
        coalesce('=' || event, ''),
        coalesce(level, ''),
        coalesce(cast(status_code as varchar), ''),
        lk_epoch(bucket_at),
        events,
        ended_us,
        begun_us,
        coalesce(cast(seqs as varchar), '')
    )) as hugeint)) % 18446744073709551616 as ubigint)) as digest

from counted
"""


def incident_report(case: Case) -> Document:
    """Return the report on *case*."""
    figures = measure(case)
    grade, reason = _severity(case, figures)
    summary = Section("summary", "At a glance", (headline.tiles(case, figures),))
    sections = (
        summary,
        key_times(case),
        data_quality(case),
        impact(case),
        what_differs(case),
        rate_limits(case),
        vitals(case),
        timeline(case),
        patterns(case),
        traces(case),
        people(),
    )
    facts = _facts(case)
    return Document(
        title=headline.title(case, figures),
        severity=grade,
        severity_reason=reason,
        sentences=headline.sentences(case, figures),
        facts=facts,
        sections=(*sections, _appendix(case)),
        zone=case.ledger.questions.zone.key,
        day=f"{case.during.since.astimezone(case.clock.zone):%Y-%m-%d}",
        data=headline.data(case, figures),
    )


def _severity(case: Case, figures: Impact) -> tuple[str, str]:
    if not case.has_events:
        return "unknown", "there are no events to judge by"
    if case.incident is None and not headline.is_bad_throughout(figures):
        return "none", "no incident was found"
    return severity(figures, slowdown(case))


def _facts(case: Case) -> tuple[tuple[str, str], ...]:
    window = case.window
    facts = [("Window", f"{wording.utc(window.since)} to {wording.utc(window.until)}")]
    if case.ledger.questions.zone.key != "UTC":
        since, until = case.clock.whole(window.since), case.clock.whole(window.until)
        facts.append(("Local time", f"{since} to {until}"))
    if window.since < case.stored.oldest or window.until - _TICK > case.stored.newest:
        oldest, newest = wording.utc(case.stored.oldest), wording.utc(case.stored.newest)
        facts.append(("Stored", f"{oldest} to {newest}: of the rest of the time there is no log"))
    versions: dict[str, list[str]] = {}
    for row in case.ask("services").rows:
        of_service = versions.setdefault(wording.service(row["service"]), [])
        if row["version"] is not None:
            of_service.append(wording.words(row["version"], 40))
    services = [" ".join((name, " → ".join(found))).strip() for name, found in versions.items()]
    bounds = {"since": window.since, "until": window.until}
    digest = case.ledger.note("Events of the report and their digest", _DIGEST, bounds)
    row = digest.rows[0]
    facts.append(("Services", ", ".join(services) or "none logged in this time"))
    facts.append(
        ("Data", f"{wording.counted(row['events'], 'event')}, digest {row['digest'] or 'none'}")
    )
    made = wording.utc(case.ledger.questions.now)
    facts.append(("Made", f"{made} by logkit {version('botlogkit')}"))
    return tuple(facts)


def _appendix(case: Case) -> Section:
    return Section(
        "appendix", "Where every number comes from", (Queries(tuple(case.ledger.entries)),)
    )
