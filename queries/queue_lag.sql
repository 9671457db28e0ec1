-- @title    Lag of each queue
-- @question How long does work wait, and does the queue catch up or fall behind?
-- @method   Any row with a queue_depth or a queue_wait_ms is a sample. The trend is the
--           least-squares slope of the depths of the last trend_seconds before the last one.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @param    trend_seconds double = 600  length of the stretch of which the trend is told
-- @column   service  logical name of the bot or worker
-- @column   queue  name of the queue
-- @column   waits  items with a wait
-- @column   p50_wait_ms  half of them waited at most this, milliseconds
-- @column   p95_wait_ms  95 of 100 waited at most this, milliseconds
-- @column   max_wait_ms  the longest wait, milliseconds
-- @column   longest_wait_at  when the item that waited longest was through
-- @column   depths  samples of the depth
-- @column   peak_depth  greatest depth, items
-- @column   peak_at  the first sample of that depth
-- @column   last_depth  depth of the last sample, items
-- @column   queue_limit  items that the queue can hold; NULL if unknown
-- @column   trend_per_minute  growth of the queue, items a minute; NULL with fewer than 3 depths
-- @column   seconds_to_full  until it is full at this trend; NULL where it never is
-- @sample   incident
with

samples as materialized (

    select
        timestamp,
        service,
        queue,
        queue_depth,
        queue_limit,
        queue_wait_ms,
        source_id,
        source_offset,
        lk_epoch(timestamp) as at_us,
        coalesce('=' || service, '') as service_key,
        coalesce('=' || queue, '') as queue_key

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and lk_check($trend_seconds > 0, 'trend_seconds must be greater than 0')
        and (
            queue_depth is not null
            or queue_wait_ms is not null
        )

),

measured as materialized (

    select
        service_key,
        queue_key,
        min(service) as sample_service,
        min(queue) as sample_queue,
        count(queue_wait_ms) as wait_count,
        lk_percentile(queue_wait_ms, 5e-1) as p50_wait_ms,
        lk_percentile(queue_wait_ms, 95e-2) as p95_wait_ms,
        max(queue_wait_ms) as max_wait_ms,
        lk_arg_max(
            timestamp, case when queue_wait_ms is not null then (queue_wait_ms, timestamp) end
        ) as longest_wait_at,
        count(queue_depth) as depth_count,
        max(queue_depth) as peak_depth,
        lk_arg_max(
            timestamp, case when queue_depth is not null then (queue_depth, -at_us) end
        ) as peak_at,
        lk_arg_max(queue_depth, (timestamp, source_id, source_offset)) as last_depth,
        max(queue_limit) as most_queue_limit,
        max(case when queue_depth is not null then at_us end) as last_us

    from samples

    group by service_key, queue_key

),

-- Whole milliseconds: up to 2^53 sums of whole numbers do not depend on the order of the rows, and
-- beyond it an absurd depth makes an inexact trend, not an error.
recent as (

    select
        service_key,
        queue_key,
        cast(queue_depth as double) as depth,
        cast(cast((at_us - last_us) / 1e3 as bigint) as double) as at_ms

    from samples

    inner join measured using (service_key, queue_key)

    where
        queue_depth is not null
        and at_us > last_us - $trend_seconds * 1e6

),

summed as (

    select
        service_key,
        queue_key,
        count(*) as recent_depths,
        sum(at_ms) as sum_ms,
        sum(depth) as sum_depth,
        sum(at_ms * at_ms) as sum_squares,
        sum(at_ms * depth) as sum_products

    from recent

    group by service_key, queue_key

),

projected as (

    select
        *,
        case
            when recent_depths >= 3
                then
                    (recent_depths * sum_products - sum_ms * sum_depth) * 6e4
                    / nullif(recent_depths * sum_squares - sum_ms * sum_ms, 0)
        end as trend

    from measured

    left join summed using (service_key, queue_key)

)

select
    sample_service as service,
    sample_queue as queue,
    wait_count as waits,
    p50_wait_ms,
    p95_wait_ms,
    max_wait_ms,
    longest_wait_at,
    depth_count as depths,
    peak_depth,
    peak_at,
    last_depth,
    most_queue_limit as queue_limit,
    trend as trend_per_minute,
    case
        when last_depth >= most_queue_limit then 0e0
        when trend > 0 then (cast(most_queue_limit as double) - last_depth) * 60 / trend
    end as seconds_to_full

from projected

order by service_key, queue_key
