-- @title    Memory growth since the last restart
-- @question Does a process leak memory, and when does it hit its limit?
-- @detector leaks
-- @method   The smallest figure of each bin, which a garbage collector's saw-tooth leaves alone,
--           and a Theil-Sen line through them for each process that is still alive. A leak grows
--           from the first to the last third of the run; plateaus, waves and single steps do not.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @param    bucket_seconds integer = 60  width of a bin
-- @column   service  logical name of the bot or worker
-- @column   instance  run of the process
-- @column   metric  rss_bytes or gpu_memory_bytes
-- @column   samples  bins with a figure
-- @column   since_at  first bin of the run in the window
-- @column   last_bytes  the line at the last bin, bytes
-- @column   slope_bytes_per_hour  slope of the line, bytes an hour
-- @column   r2  share of the variance that a straight line explains, 0 to 1
-- @column   limit_bytes  memory there is, bytes; NULL if unknown
-- @column   exhausts_at  when the line meets the limit; NULL without a leak or a limit
-- @sample   incident
with

samples as (

    select
        'rss_bytes' as metric,
        timestamp,
        service,
        instance,
        rss_bytes as used_bytes,
        rss_limit_bytes as limit_bytes
    from events
    where
        timestamp >= $since
        and timestamp < $until
        and rss_bytes is not null

    union all

    select
        'gpu_memory_bytes' as metric,
        timestamp,
        service,
        instance,
        gpu_memory_bytes as used_bytes,
        gpu_memory_limit_bytes as limit_bytes
    from events
    where
        timestamp >= $since
        and timestamp < $until
        and gpu_memory_bytes is not null

)

select
    service,
    instance,
    metric,
    lk_bucket($bucket_seconds, timestamp) as bucket_at,
    min(used_bytes) as least_bytes,
    max(limit_bytes) as greatest_limit_bytes

from samples

group by service, instance, metric, lk_bucket($bucket_seconds, timestamp)

order by service, instance, metric, lk_bucket($bucket_seconds, timestamp)
