-- @title    Frozen event loops
-- @question When did a bot's event loop stand still, for how long, and in which line of code?
-- @method   A report is a heartbeat that a library found blocked or late, a blocked loop that
--           logkit saw, or a loop_lag_ms of least_lag_ms or more. Reports of one process and shard
--           without a gap over 120 s are one block.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @param    least_lag_ms double = 1000  shortest delay of the event loop that counts
-- @column   service  logical name of the bot or worker
-- @column   instance  run of the process
-- @column   shard  gateway shard, as the field or the text tells
-- @column   started_at  first report, less the delay that it tells
-- @column   ended_at  last report
-- @column   reports  reports
-- @column   longest_ms  longest delay that a report tells, milliseconds; NULL if none does
-- @column   blocking_frame  innermost frame of the last report with a stack
-- @sample   incident
with

-- The text decides, since discord.py and its forks have no field for it; the event's name is
-- made of the same words.
told as (

    select
        timestamp,
        service,
        instance,
        shard_id,
        loop_lag_ms,
        source_id,
        source_offset,
        coalesce(message, '') as told_text,
        coalesce(error_stack, message) as told_stack,
        coalesce(event, '') as told_event

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and (
            loop_lag_ms >= $least_lag_ms
            or event like '%heartbeat_blocked%'
            or event like '%loop_blocked%'
            or event like '%cant_keep_up%'
            or message like '%heartbeat blocked for more than%'
            or message like '%Can''t keep up, shard ID%'
        )

),

reports as (

    select
        timestamp,
        service,
        instance,
        source_id,
        source_offset,
        coalesce(cast(shard_id as varchar), lk_extract(told_text, '[Ss]hard ID ([0-9]+)')) as shard,
        coalesce(
            loop_lag_ms,
            cast(
                coalesce(
                    lk_extract(told_text, 'blocked for more than ([0-9]+)'),
                    lk_extract(told_text, 'is ([0-9.]+)s behind')
                ) as double
            ) * 1e3
        ) as delay_ms,
        coalesce(
            lk_extract(told_stack, '(?s).*(File "[^"\n]+", line [0-9]+, in [^\n]+)'),
            case
                when told_event like '%loop_blocked%'
                    then lk_extract(told_stack, '(?s)^(?:.*\n)?([^\n]+)\n*$')
            end
        ) as frame

    from told

),

stepped as (

    select
        *,
        lk_epoch(timestamp) - lag(lk_epoch(timestamp), 1, lk_epoch(timestamp)) over (
            partition by service, instance, shard
            order by timestamp, source_id, source_offset
        ) as gap_us

    from reports

),

numbered as (

    select
        *,
        sum(case when gap_us > 120000000 then 1 else 0 end) over (
            partition by service, instance, shard
            order by timestamp, source_id, source_offset
            rows between unbounded preceding and current row
        ) as run

    from stepped

),

blocks as (

    select
        service,
        instance,
        shard,
        run,
        min(lk_started_us(timestamp, delay_ms)) as first_us,
        max(timestamp) as last_at,
        count(*) as report_count,
        max(delay_ms) as most_delay_ms,
        lk_arg_max(frame, (timestamp, source_id, source_offset)) as last_frame

    from numbered

    group by service, instance, shard, run

)

select
    service,
    instance,
    shard,
    case when first_us >= 0 then lk_time(first_us) end as started_at,
    last_at as ended_at,
    report_count as reports,
    most_delay_ms as longest_ms,
    last_frame as blocking_frame

from blocks

order by started_at, service, instance, shard, run
