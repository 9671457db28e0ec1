-- @title    Memory, CPU and connections by process
-- @question Is a process short of memory, CPU, connections or file descriptors?
-- @method   Any row with such a figure is a sample. A figure that no sample of the bucket has is
--           NULL.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @param    bucket_seconds integer = 60  width of one row
-- @column   bucket_at  start of the bucket
-- @column   service  logical name of the bot or worker
-- @column   instance  run of the process
-- @column   samples  rows with a figure
-- @column   rss_bytes  greatest resident memory, bytes
-- @column   rss_limit_bytes  its limit, bytes
-- @column   cpu_percent  mean CPU use, percent of one core
-- @column   open_connections  most open connections
-- @column   open_fds  most open file descriptors
-- @column   threads  most threads
-- @column   loop_lag_ms  longest delay of the event loop, milliseconds
-- @column   gpu_memory_bytes  greatest GPU memory in use, bytes
-- @column   gpu_memory_limit_bytes  GPU memory there is, bytes
-- @plot     rss_bytes
-- @sample   incident
with

samples as (

    select
        service,
        instance,
        rss_bytes,
        rss_limit_bytes,
        cpu_percent,
        open_connections,
        open_fds,
        threads,
        loop_lag_ms,
        gpu_memory_bytes,
        gpu_memory_limit_bytes,
        lk_bucket($bucket_seconds, timestamp) as bucket_at

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and (
            rss_bytes is not null
            or cpu_percent is not null
            or open_connections is not null
            or open_fds is not null
            or threads is not null
            or loop_lag_ms is not null
            or gpu_memory_bytes is not null
        )

),

summarized as (

    select
        bucket_at,
        service,
        instance,
        count(*) as sample_count,
        max(rss_bytes) as most_rss_bytes,
        max(rss_limit_bytes) as most_rss_limit_bytes,
        avg(cpu_percent) as mean_cpu_percent,
        max(open_connections) as most_open_connections,
        max(open_fds) as most_open_fds,
        max(threads) as most_threads,
        max(loop_lag_ms) as most_loop_lag_ms,
        max(gpu_memory_bytes) as most_gpu_memory_bytes,
        max(gpu_memory_limit_bytes) as most_gpu_memory_limit_bytes

    from samples

    group by bucket_at, service, instance

)

select
    bucket_at,
    service,
    instance,
    sample_count as samples,
    most_rss_bytes as rss_bytes,
    most_rss_limit_bytes as rss_limit_bytes,
    mean_cpu_percent as cpu_percent,
    most_open_connections as open_connections,
    most_open_fds as open_fds,
    most_threads as threads,
    most_loop_lag_ms as loop_lag_ms,
    most_gpu_memory_bytes as gpu_memory_bytes,
    most_gpu_memory_limit_bytes as gpu_memory_limit_bytes

from summarized

order by bucket_at, service, instance
