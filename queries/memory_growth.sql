-- @title    Memory growth since the last restart
-- @question Does a process leak memory, and when does it hit its limit?
-- @detector leaks
-- @method   A Theil-Sen line through the smallest figures of the bins, which a garbage collector's
--           saw-tooth leaves alone, for each process that is still alive; a new pid is a new
--           process. Over more than a day and a half it compares equal times of day. A leak grows
--           from the first to the last third of the run, and more than the lines that the process
--           writes: plateaus, waves, steps and a morning's rise do not. The line starts from the
--           mean at the end of the run.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @param    bucket_seconds integer = 60  width of a bin
-- @column   service  logical name of the bot or worker
-- @column   instance  run of the process; its pid where lines carry no instance
-- @column   metric  rss_bytes or gpu_memory_bytes
-- @column   samples  figures
-- @column   since_at  first bin of the run in the window
-- @column   last_bytes  the line at the last bin, bytes
-- @column   slope_bytes_per_hour  slope of the line, bytes an hour
-- @column   r2  share of the variance that a straight line explains, 0 to 1
-- @column   limit_bytes  memory there is, bytes; NULL if unknown
-- @column   exhausts_at  when the line meets the limit; NULL without a leak or a limit
-- @sample   incident
with

lines as materialized (

    select
        service,
        pid,
        coalesce(instance, cast(pid as varchar)) as process,
        lk_bucket($bucket_seconds, timestamp) as bucket_at,
        lk_epoch(timestamp) as at_us,
        rss_bytes,
        rss_limit_bytes,
        gpu_memory_bytes,
        gpu_memory_limit_bytes

    from events

    where
        timestamp >= $since
        and timestamp < $until

),

binned as materialized (

    select
        service,
        process,
        pid,
        bucket_at,
        count(*) as event_count,
        count(rss_bytes) as rss_count,
        avg(case when rss_bytes is not null then at_us end) as rss_at_us,
        min(rss_bytes) as least_rss_bytes,
        avg(rss_bytes) as mean_rss_bytes,
        max(rss_limit_bytes) as greatest_rss_limit_bytes,
        count(gpu_memory_bytes) as gpu_count,
        avg(case when gpu_memory_bytes is not null then at_us end) as gpu_at_us,
        min(gpu_memory_bytes) as least_gpu_bytes,
        avg(gpu_memory_bytes) as mean_gpu_bytes,
        max(gpu_memory_limit_bytes) as greatest_gpu_limit_bytes

    from lines

    group by service, process, pid, bucket_at

)

select
    service,
    process as instance,
    pid,
    'rss_bytes' as metric,
    bucket_at,
    rss_count as samples,
    lk_time(rss_at_us) as mean_at,
    least_rss_bytes as least_bytes,
    mean_rss_bytes as mean_bytes,
    greatest_rss_limit_bytes as greatest_limit_bytes,
    event_count as events

from binned

where rss_count > 0

union all

select
    service,
    process as instance,
    pid,
    'gpu_memory_bytes' as metric,
    bucket_at,
    gpu_count as samples,
    lk_time(gpu_at_us) as mean_at,
    least_gpu_bytes as least_bytes,
    mean_gpu_bytes as mean_bytes,
    greatest_gpu_limit_bytes as greatest_limit_bytes,
    event_count as events

from binned

where gpu_count > 0

order by service, instance, pid, metric, bucket_at
