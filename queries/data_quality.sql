-- @title    Health of the log itself
-- @question Can the other answers be trusted: is anything missing, doubled, or out of time?
-- @method   A row per finding; no rows, no finding. missing_timestamp: rows without a time,
--           wherever the window lies. gap: silences of a service. restart: runs of a process that
--           began after another run on their host had ended. seq_holes: events that an instance
--           numbered and the log lacks. duplicates: the same sequence number of an instance, or
--           the same row where there are no numbers, more than once. clock_skew: rows from the
--           future, and steps back in time within an instance.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @param    gap_seconds double = 300  shortest silence that is a gap, 60 or more
-- @param    skew_seconds double = 5  smallest error of a clock that counts
-- @column   check  missing_timestamp, gap, restart, seq_holes, duplicates or clock_skew
-- @column   service  logical name of the bot or worker
-- @column   instance  run of the process, where the check is about one
-- @column   count  how many
-- @column   detail  the worst of them
-- @sample   incident
with

timed as materialized (

    select
        service,
        host,
        instance,
        seq,
        source_id,
        source_offset,
        lk_epoch(timestamp) as at_us,
        lk_epoch(timestamp) - lk_epoch(ingested_at) as ahead_us

    from events

    where
        timestamp >= $since
        and timestamp < $until

),

untimed as (

    select
        service,
        instance,
        count(*) as finding_count

    from events

    where timestamp is null

    group by service, instance

),

minutes as (

    select
        service,
        lk_bucket(60, timestamp) as bucket_at,
        min(lk_epoch(timestamp)) as first_us,
        max(lk_epoch(timestamp)) as last_us

    from events

    where
        timestamp >= $since
        and timestamp < $until

    group by service, lk_bucket(60, timestamp)

),

silences as (

    select
        service,
        first_us - lag(last_us, 1, first_us) over (
            partition by service
            order by bucket_at
        ) as silence_us,
        lag(last_us, 1, first_us) over (
            partition by service
            order by bucket_at
        ) as begun_us

    from minutes

),

gaps as (

    select
        service,
        count(*) as finding_count,
        max(silence_us) as longest_us,
        lk_arg_max(begun_us, silence_us) as longest_begun_us

    from silences

    where silence_us > $gap_seconds * 1e6

    group by service

),

runs as (

    select
        service,
        host,
        instance,
        min(at_us) as first_us,
        max(at_us) as last_us

    from timed

    where instance is not null

    group by service, host, instance

),

followed as (

    select
        service,
        first_us,
        lag(last_us, 1, null) over (
            partition by service, host
            order by first_us, last_us, instance
        ) as previous_us

    from runs

),

restarts as (

    select
        service,
        count(*) as finding_count,
        max(first_us) as latest_us

    from followed

    where first_us >= previous_us

    group by service

),

sequences as materialized (

    select
        service,
        instance,
        count(*) as numbered_rows,
        count(distinct seq) as distinct_numbers,
        max(seq) - min(seq) + 1 as expected_numbers

    from timed

    where
        instance is not null
        and seq >= 0
        and seq < 9223372036854775807

    group by service, instance

),

copies as (

    select
        service,
        count(*) - 1 as surplus

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and (
            instance is null
            or seq is null
        )

    group by
        timestamp,
        service,
        seq,
        lk_hash((
            level, event, message, correlation_id, trace_id, span_id, parent_span_id, logger,
            instance, pid, host, env, version, endpoint, method, status_code, duration_ms,
            attempt, retry_after_ms, rate_limit_limit, rate_limit_remaining,
            rate_limit_reset_after_ms, rate_limit_window_ms, rate_limit_bucket,
            rate_limit_scope, rate_limit_unit, rate_limit_kind, error_type, error_message,
            error_stack, error_fingerprint, platform, shard_id, guild_id, chat_id, channel_id,
            user_id, command, queue, queue_depth, queue_limit, queue_wait_ms, rss_bytes,
            rss_limit_bytes, cpu_percent, open_connections, open_fds, threads, loop_lag_ms,
            gpu_memory_bytes, gpu_memory_limit_bytes, provider, model, input_tokens,
            output_tokens, ttft_ms, finish_reason, cost_usd, fields
        ))

    having count(*) > 1

),

doubled as (

    select
        service,
        sum(surplus) as finding_count

    from copies

    group by service

),

steps as (

    select
        service,
        instance,
        ahead_us,
        lag(at_us, 1, at_us) over (
            partition by service, instance
            order by seq, source_id, source_offset
        ) - at_us as back_us

    from timed

    where
        instance is not null
        and seq is not null

    union all

    select
        service,
        instance,
        ahead_us,
        0 as back_us

    from timed

    where
        instance is null
        or seq is null

),

skews as (

    select
        service,
        instance,
        count(*) as finding_count,
        max(case when ahead_us > back_us then ahead_us else back_us end) as worst_us

    from steps

    where
        ahead_us > $skew_seconds * 1e6
        or back_us > $skew_seconds * 1e6

    group by service, instance

),

findings as (

    select
        'missing_timestamp' as finding,
        service,
        instance,
        finding_count,
        'rows that no time window shows' as detail
    from untimed

    union all

    select
        'gap' as finding,
        service,
        null as instance,
        finding_count,
        concat(
            'longest ', cast(longest_us / 1e6 as varchar), ' s from ',
            lk_rfc3339(longest_begun_us)
        ) as detail
    from gaps

    union all

    select
        'restart' as finding,
        service,
        null as instance,
        finding_count,
        concat('latest at ', lk_rfc3339(latest_us)) as detail
    from restarts

    union all

    select
        'seq_holes' as finding,
        service,
        instance,
        expected_numbers - distinct_numbers as finding_count,
        concat('of ', cast(expected_numbers as varchar), ' events') as detail
    from sequences
    where expected_numbers > distinct_numbers

    union all

    select
        'duplicates' as finding,
        service,
        instance,
        numbered_rows - distinct_numbers as finding_count,
        concat('of ', cast(numbered_rows as varchar), ' rows') as detail
    from sequences
    where numbered_rows > distinct_numbers

    union all

    select
        'duplicates' as finding,
        service,
        null as instance,
        finding_count,
        'rows without a sequence number' as detail
    from doubled

    union all

    select
        'clock_skew' as finding,
        service,
        instance,
        finding_count,
        concat('worst ', cast(worst_us / 1e6 as varchar), ' s') as detail
    from skews

)

select
    finding as "check",
    service,
    instance,
    cast(finding_count as bigint) as count,
    detail

from findings

order by finding, service, instance, detail
