-- @title    Time from one kind of line to the next
-- @question How long does it take from one line to another, in a log that measures no durations?
-- @method   Of the lines of one source that match one of two regular expressions, in their event
--           or message: the time from a first line to a next one right behind it, in the order in
--           which they were written. Where several actions run at once, such lines are not always
--           neighbours, and those that are not count as unpaired.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @param    first varchar = 'start'  regular expression of the line that begins
-- @param    next varchar = 'finish|done|end'  regular expression of the line that ends
-- @column   service  logical name of the bot or worker
-- @column   logger  who wrote the lines
-- @column   first_lines  lines that match first
-- @column   next_lines  lines that match next, and not first
-- @column   pairs  next lines right behind a first one
-- @column   p50_ms  median time between the lines of a pair, milliseconds
-- @column   p95_ms  95 of 100 pairs took at most this, milliseconds
-- @column   p99_ms  99 of 100 pairs took at most this, milliseconds
-- @column   max_ms  the longest, milliseconds
-- @column   slowest_at  when the longest ended
-- @sample   incident
with

told as (

    select
        timestamp,
        service,
        instance,
        logger,
        source_id,
        source_offset,
        lk_epoch(timestamp) as at_us,
        concat_ws(' ', event, message) as line

    from events

    where
        timestamp >= $since
        and timestamp < $until

),

matched as (

    select
        *,
        lk_extract(line, concat('(', $first, ')')) is not null as is_first,
        lk_extract(line, concat('(', $next, ')')) is not null as is_next

    from told

),

marked as (

    select
        *,
        case when is_first then 1 else 0 end as first_mark

    from matched

    where
        is_first
        or is_next

),

followed as (

    select
        *,
        lag(first_mark, 1, 0) over (
            partition by service, instance, logger
            order by source_id, source_offset
        ) as is_behind_first,
        at_us - lag(at_us, 1, at_us) over (
            partition by service, instance, logger
            order by source_id, source_offset
        ) as passed_us

    from marked

),

timed as (

    select
        *,
        case when first_mark = 0 and is_behind_first = 1 then passed_us / 1e3 end as passed_ms

    from followed

)

select
    service,
    logger,
    cast(sum(first_mark) as bigint) as first_lines,
    cast(sum(1 - first_mark) as bigint) as next_lines,
    count(passed_ms) as pairs,
    lk_percentile(passed_ms, 5e-1) as p50_ms,
    lk_percentile(passed_ms, 95e-2) as p95_ms,
    lk_percentile(passed_ms, 99e-2) as p99_ms,
    max(passed_ms) as max_ms,
    lk_arg_max(
        case when passed_ms is not null then timestamp end, (passed_ms, source_id, source_offset)
    ) as slowest_at

from timed

group by service, logger

order by pairs desc, service, logger
