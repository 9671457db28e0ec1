-- @title    Throughput by service and minute
-- @question How much does each service do, and when did that change?
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @param    bucket_seconds integer = 60  width of one row
-- @column   bucket_at  start of the bucket
-- @column   service  logical name of the bot or worker
-- @column   events  rows of any kind
-- @column   requests  requests that ended in the bucket
-- @column   warnings  rows at level warning
-- @column   errors  rows at level error or critical, requests or not
-- @plot     events
-- @sample   incident
with

windowed as (

    select
        service,
        level,
        lk_bucket($bucket_seconds, timestamp) as bucket_at,
        lk_is_request(status_code, duration_ms, endpoint, command) as is_request

    from events

    where
        timestamp >= $since
        and timestamp < $until

),

counted as (

    select
        bucket_at,
        service,
        count(*) as events,
        cast(sum(case when is_request then 1 else 0 end) as bigint) as requests,
        cast(sum(case when level = 'warning' then 1 else 0 end) as bigint) as warnings,
        cast(sum(case when level in ('error', 'critical') then 1 else 0 end) as bigint) as errors

    from windowed

    group by bucket_at, service

)

select
    bucket_at,
    service,
    events,
    requests,
    warnings,
    errors

from counted

order by bucket_at, service
