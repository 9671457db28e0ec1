-- @title    Latency and failures over time
-- @question When did calls become slow or begin to fail, and when was it over?
-- @method   Continuous interpolation. Failed and rate-limited requests count: users wait for them.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @param    bucket_seconds integer = 60  width of one row
-- @param    service varchar = null  only this service; NULL: all
-- @param    endpoint varchar = null  only this route template; NULL: all
-- @param    method varchar = null  only this HTTP method; NULL: all
-- @column   bucket_at  start of the bucket
-- @column   requests  requests that ended in the bucket
-- @column   errors  requests with status 400 or above except 429, or none at level error
-- @column   rate_limited  requests with status 429
-- @column   p50_ms  half of those with a duration took at most this, milliseconds
-- @column   p95_ms  95 of 100 took at most this, milliseconds
-- @column   p99_ms  99 of 100 took at most this, milliseconds
-- @plot     p95_ms
-- @sample   incident
with

asked as (

    select
        lk_bucket($bucket_seconds, timestamp) as bucket_at,
        duration_ms,
        lk_is_error(status_code, level) as is_error,
        coalesce(status_code = 429, false) as is_rate_limited

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and lk_is_request(status_code, duration_ms, endpoint, command)
        and ($service is null or service = $service)
        and ($endpoint is null or endpoint = $endpoint)
        and ($method is null or method = $method)

),

measured as (

    select
        bucket_at,
        count(*) as requests,
        cast(sum(case when is_error then 1 else 0 end) as bigint) as errors,
        cast(sum(case when is_rate_limited then 1 else 0 end) as bigint) as rate_limited,
        lk_percentile(duration_ms, 5e-1) as p50_ms,
        lk_percentile(duration_ms, 95e-2) as p95_ms,
        lk_percentile(duration_ms, 99e-2) as p99_ms

    from asked

    group by bucket_at

)

select
    bucket_at,
    requests,
    errors,
    rate_limited,
    p50_ms,
    p95_ms,
    p99_ms

from measured

order by bucket_at
