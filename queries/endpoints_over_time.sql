-- @title    Requests, failures and latency of each endpoint over time
-- @question Which endpoint became slow or began to fail, and when?
-- @method   Continuous interpolation. Failed and rate-limited requests count: users wait for them.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @param    bucket_seconds integer = 60  width of one row
-- @column   bucket_at  start of the bucket
-- @column   service  logical name of the bot or worker
-- @column   method  HTTP method
-- @column   endpoint  route template; NULL for requests without one
-- @column   requests  requests that ended in the bucket
-- @column   errors  requests with status 400 or above except 429, or none at level error
-- @column   rate_limited  requests with status 429
-- @column   p50_ms  half of those with a duration took at most this, milliseconds
-- @column   p95_ms  95 of 100 took at most this, milliseconds
-- @plot     p95_ms
-- @sample   incident
with

asked as (

    select
        service,
        method,
        endpoint,
        duration_ms,
        lk_bucket($bucket_seconds, timestamp) as bucket_at,
        lk_is_error(status_code, level) as is_error,
        coalesce(status_code = 429, false) as is_rate_limited

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and lk_is_request(status_code, duration_ms, endpoint, command)

),

measured as (

    select
        bucket_at,
        service,
        method,
        endpoint,
        count(*) as requests,
        cast(sum(case when is_error then 1 else 0 end) as bigint) as errors,
        cast(sum(case when is_rate_limited then 1 else 0 end) as bigint) as rate_limited,
        lk_percentile(duration_ms, 5e-1) as p50_ms,
        lk_percentile(duration_ms, 95e-2) as p95_ms

    from asked

    group by bucket_at, service, method, endpoint

)

select
    bucket_at,
    service,
    method,
    endpoint,
    requests,
    errors,
    rate_limited,
    p50_ms,
    p95_ms

from measured

order by bucket_at, service, method, endpoint
