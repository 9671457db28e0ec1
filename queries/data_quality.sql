-- @title    Health of the log itself
-- @question Can the other answers be trusted: is anything missing, doubled, or out of time?
-- @method   A row per finding; no rows, no finding. missing_timestamp: rows without a time,
--           wherever the window lies. gap: silences of a service. restart: runs of a process that
--           took the place of one that had ended on their host. seq_holes: events that an instance
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
        and lk_check($gap_seconds >= 60, 'gap_seconds must be 60 or more')

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

runs as materialized (

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

-- As in the query restarts, where it is explained.
points as (

    select
        service,
        host,
        instance,
        first_us as at_us,
        1 as is_start,
        1 as point_rank
    from runs

    union all

    select
        service,
        host,
        instance,
        last_us as at_us,
        0 as is_start,
        case when first_us < last_us then 0 else 2 end as point_rank
    from runs

),

balanced as (

    select
        *,
        sum(is_start) over (
            partition by service, host
            order by at_us, point_rank, instance
            rows between unbounded preceding and current row
        ) as starts,
        sum(1 - 2 * is_start) over (
            partition by service, host
            order by at_us, point_rank, instance
            rows between unbounded preceding and current row
        ) as balance

    from points

),

replacing as (

    select
        service,
        host,
        at_us,
        starts,
        starts + min(balance) over (
            partition by service, host
            order by starts
            rows between unbounded preceding and current row
        ) as replaced

    from balanced

    where is_start = 1

),

stepped_runs as (

    select
        service,
        at_us,
        replaced - lag(replaced, 1, 0) over (
            partition by service, host
            order by starts
        ) as is_restart

    from replacing

),

restarts as (

    select
        service,
        count(*) as finding_count,
        max(at_us) as latest_us

    from stepped_runs

    where is_restart = 1

    group by service

),

-- Sixty-four numbers of an instance together: how many rows, and how many numbers.
blocks as materialized (

    select
        service,
        instance,
        lk_block64(seq) as block,
        sum(case when seq >= 0 and seq < 9223372036854775807 then 1 else 0 end) as row_count,
        lk_count64(
            case when seq >= 0 and seq < 9223372036854775807 then seq end
        ) as number_count,
        min(case when seq >= 0 and seq < 9223372036854775807 then seq end) as first_seq,
        max(case when seq >= 0 and seq < 9223372036854775807 then seq end) as last_seq

    from timed

    where
        instance is not null
        and seq is not null

    group by service, instance, lk_block64(seq)

),

sequences as materialized (

    select
        service,
        instance,
        sum(row_count) as numbered_rows,
        sum(number_count) as distinct_numbers,
        max(last_seq) - min(first_seq) + 1 as expected_numbers

    from blocks

    where first_seq is not null

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

processes as (

    select
        service,
        instance,
        lk_hash((service, instance)) as process

    from blocks

    group by service, instance

),

-- One number in the place of two names: the sort takes a third of the time.
stepped as (

    select
        lk_hash((service, instance)) as process,
        lk_epoch(timestamp) - lk_epoch(ingested_at) > $skew_seconds * 1e6 as is_ahead,
        lag(lk_epoch(timestamp), 1, lk_epoch(timestamp)) over (
            partition by lk_hash((service, instance))
            order by seq, source_id, source_offset
        ) - lk_epoch(timestamp) as back_us

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and instance is not null
        and seq is not null

),

steps as (

    select
        service,
        instance,
        ahead_us as off_us,
        1 as is_another

    from timed

    where ahead_us > $skew_seconds * 1e6

    union all

    select
        service,
        instance,
        back_us as off_us,
        case when is_ahead then 0 else 1 end as is_another

    from stepped

    inner join processes using (process)

    where back_us > $skew_seconds * 1e6

),

skews as (

    select
        service,
        instance,
        sum(is_another) as finding_count,
        max(off_us) as worst_us

    from steps

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
