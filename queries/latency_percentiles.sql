-- @title    Latency percentiles by endpoint
-- @question Which endpoint is slow, and how slow for whom?
-- @method   Continuous interpolation. Failed and rate-limited requests count: users wait for them.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @column   service  logical name of the bot or worker
-- @column   method  HTTP method
-- @column   endpoint  route template; NULL for requests without one
-- @column   requests  requests with a duration
-- @column   p50_ms  half of the requests took at most this, milliseconds
-- @column   p95_ms  95 of 100 took at most this, milliseconds
-- @column   p99_ms  99 of 100 took at most this, milliseconds
-- @column   max_ms  the slowest, milliseconds
-- @sample   incident
with

timed as (

    select
        service,
        method,
        endpoint,
        duration_ms

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and duration_ms is not null
        and lk_is_request(status_code, duration_ms, endpoint, command)

),

measured as (

    select
        service,
        method,
        endpoint,
        count(*) as requests,
        lk_percentile(duration_ms, 5e-1) as p50_ms,
        lk_percentile(duration_ms, 95e-2) as p95_ms,
        lk_percentile(duration_ms, 99e-2) as p99_ms,
        max(duration_ms) as max_ms

    from timed

    group by service, method, endpoint

)

select
    service,
    method,
    endpoint,
    requests,
    p50_ms,
    p95_ms,
    p99_ms,
    max_ms

from measured

order by p95_ms desc, service, endpoint, method
