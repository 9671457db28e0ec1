"""A database of a busy bot's events, made in SQL: the lines of a day per million."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from logkit_analysis.store.database import writing

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 1, 31, tzinfo=UTC)
ROWS_A_DAY = 1_000_000
_PART = 1_000_000

# Of 100 lines about 52 are API calls, 24 commands, 20 messages; the rest are samples and trouble.
_EVENTS = """
insert into events by name
with
drawn as (
    select
        i,
        (hash(i) % 1000) / 10.0 as kind,
        (hash(i * 7 + 1) % 100000) / 100000.0 as luck,
        (hash(i * 7 + 2) % 1000000007)::bigint as h,
        (hash(i // 5 * 7 + 3) % 1000000007)::bigint as action,
        exp(4 + 0.8 * sqrt(-2 * ln((hash(i * 7 + 4) % 99999 + 1) / 100000.0))
            * cos(2 * pi() * (hash(i * 7 + 5) % 100000) / 100000.0)) as took
    from range($first, $last) as numbers (i)
)
select
    make_timestamptz($start_us + i * 86400) as timestamp,
    case
        when kind < 52 and luck < 0.01 then 'error'
        when kind >= 99.8 then 'error'
        when kind < 52 and luck < 0.03 then 'warning'
        else 'info'
    end as level,
    case when h % 3 = 0 then 'worker' else 'bot' end as service,
    case
        when kind < 52 then if(luck < 0.02, 'api_call_failed', 'api_call')
        when kind < 76 then if(luck < 0.02, 'command_failed', 'command_handled')
        when kind < 96 then 'message_received'
        when kind < 98 then 'queue_sample'
        when kind < 99.7 then 'resource_sample'
        when kind < 99.8 then 'heartbeat_acked'
        else 'task_failed'
    end as event,
    case
        when kind >= 76 and kind < 96
            then 'message of ' || h % 900 || ' in channel ' || action % 5000
        when kind >= 99.8 then 'task ' || h % 77 || ' failed'
    end as message,
    format('{:016x}', action) as correlation_id,
    'bot.' || ['api', 'commands', 'gateway'][1 + h % 3] as logger,
    case when h % 3 = 0 then 'w' else 'b' end || (i // 400000) as instance,
    4711 as pid,
    'host-1' as host,
    '1.' || (i // 700000) as version,
    i as seq,
    case when kind < 52
        then '/route' || (h % 12) || '/{id}' end as endpoint,
    case when kind < 52 then ['GET', 'POST', 'PUT'][1 + h % 3] end as method,
    case
        when kind >= 52 then null
        when luck < 0.01 then 500
        when luck < 0.02 then 429
        when luck < 0.03 then 404
        else 200
    end as status_code,
    case when kind < 76 or (kind >= 99.7 and kind < 99.8) then took end as duration_ms,
    case when kind < 52 then if(luck < 0.02, h % 3, 0) end as attempt,
    case when kind < 52 and luck between 0.01 and 0.02 then 1000 end as retry_after_ms,
    case when kind < 52 then 50 end as rate_limit_limit,
    case when kind < 52 then h % 50 end as rate_limit_remaining,
    case when kind < 52 then 1000 end as rate_limit_reset_after_ms,
    case when kind < 52 then 'bucket' || h % 12 end as rate_limit_bucket,
    case when (kind < 52 and luck < 0.01) or kind >= 99.8
        then ['timeout', 'HTTPException', 'KeyError'][1 + h % 3] end as error_type,
    'discord' as platform,
    case when kind < 96 then (h % 4)::integer end as shard_id,
    case when kind < 96 then (action % 3000)::varchar end as guild_id,
    case when kind < 96 then (action % 40000)::varchar end as user_id,
    case when kind >= 52 and kind < 76 then 'command' || h % 25 end as command,
    case when kind >= 96 and kind < 98 then 'jobs' || h % 2 end as queue,
    case when kind >= 96 and kind < 98 then h % 40 end as queue_depth,
    case when kind >= 96 and kind < 98 then 1000 end as queue_limit,
    case when kind >= 96 and kind < 98 then took end as queue_wait_ms,
    case when kind >= 98 and kind < 99.7
        then 300000000 + i % 400000 * 100 + h % 5000000 end as rss_bytes,
    case when kind >= 98 and kind < 99.7 then 1000000000 end as rss_limit_bytes,
    case when kind >= 98 and kind < 99.7 then 20 + h % 20 end as cpu_percent,
    case when kind >= 98 and kind < 99.7 then 20 + h % 9 end as open_connections,
    case when kind < 52 and h % 10 = 0 then 'openai' end as provider,
    case when kind < 52 and h % 10 = 0 then 'gpt-' || h % 3 end as model,
    case when kind < 52 and h % 10 = 0 then h % 4000 end as input_tokens,
    case when kind < 52 and h % 10 = 0 then h % 700 end as output_tokens,
    case when kind < 52 and h % 10 = 0 then took / 3 end as ttft_ms,
    case when kind < 52 and h % 10 = 0 then 0.002 end as cost_usd,
    if(h % 4 = 0, json('{"cache_hit": true}'), null) as fields,
    1 as source_id,
    i * 350 as source_offset,
    'bot.log' as source_file,
    make_timestamptz($start_us) as ingested_at
from drawn
"""


def make_database(path: Path, count: int) -> int:
    """Store *count* events in a new database at *path*; return *count*."""
    start_us = int(START.timestamp()) * 1_000_000
    with writing(path) as connection:
        for first in range(0, count, _PART):
            last = min(first + _PART, count)
            values = {"first": first, "last": last, "start_us": start_us}
            connection.execute(_EVENTS, values)
    return count
