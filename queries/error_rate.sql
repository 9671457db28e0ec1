-- @title    Error rate by service and minute
-- @question Which service is failing, and since when?
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @param    bucket_seconds integer = 60  width of one row
-- @column   bucket_at  start of the bucket
-- @column   service  logical name of the bot or worker
-- @column   requests  requests that ended in the bucket
-- @column   errors  requests with status 400 or above except 429, or none at level error
-- @column   server_errors  requests with status 500 or above
-- @column   rate_limited  requests with status 429
-- @column   error_ratio  errors / requests, 0 to 1, NULL without requests
-- @plot     error_ratio
-- @sample   incident
with

windowed as (

    select
        service,
        status_code,
        lk_bucket($bucket_seconds, timestamp) as bucket_at,
        lk_is_request(status_code, duration_ms, endpoint, command) as is_request,
        lk_is_error(status_code, level) as is_error

    from events

    where
        timestamp >= $since
        and timestamp < $until

),

counted as (

    select
        bucket_at,
        service,
        cast(sum(case when is_request then 1 else 0 end) as bigint) as requests,
        cast(sum(case when is_request and is_error then 1 else 0 end) as bigint) as errors,
        cast(sum(case when status_code >= 500 then 1 else 0 end) as bigint) as server_errors,
        cast(sum(case when status_code = 429 then 1 else 0 end) as bigint) as rate_limited

    from windowed

    group by bucket_at, service

)

select
    bucket_at,
    service,
    requests,
    errors,
    server_errors,
    rate_limited,
    errors / nullif(requests, 0) as error_ratio

from counted

order by bucket_at, service
