-- @title    Error budget of each service
-- @question Is the promised availability kept, and how fast is what may fail used up?
-- @method   Availability is the share of requests that are no errors (429s are none). The budget is
--           the share that the objective lets fail, over the window. A burn rate of 1 uses it up
--           exactly at the end of the window; those of the last hour and the last five minutes
--           before the end tell whether it still burns (the multiwindow rule of Google's Site
--           Reliability Workbook, chapter 5).
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @param    objective double = 0.999  share of requests that must not fail, below 1
-- @column   service  logical name of the bot or worker
-- @column   requests  requests
-- @column   errors  requests with status 400 or above except 429, or none at level error
-- @column   availability  1 - errors / requests, 0 to 1
-- @column   allowed_errors  errors that the objective allows for so many requests
-- @column   budget_left_ratio  1 - errors / allowed errors; below 0 the objective is missed
-- @column   burn_rate  error ratio / allowed ratio
-- @column   requests_last_hour  requests of the last hour
-- @column   burn_rate_last_hour  burn rate of the last hour; NULL without requests
-- @column   requests_last_5m  requests of the last five minutes
-- @column   burn_rate_last_5m  burn rate of the last five minutes; NULL without requests
-- @sample   incident
with

calls as (

    select
        service,
        case when lk_is_error(status_code, level) then 1 else 0 end as failed,
        case when timestamp >= lk_time(lk_epoch($until) - 3600000000) then 1 else 0 end as in_hour,
        case when timestamp >= lk_time(lk_epoch($until) - 300000000) then 1 else 0 end as in_5m

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and lk_check($objective >= 0 and $objective < 1, 'objective must be from 0 to below 1')
        and lk_is_request(status_code, duration_ms, endpoint, command)

),

counted as (

    select
        service,
        count(*) as requests,
        cast(sum(failed) as bigint) as errors,
        cast(sum(in_hour) as bigint) as requests_last_hour,
        sum(in_hour * failed) as errors_last_hour,
        cast(sum(in_5m) as bigint) as requests_last_5m,
        sum(in_5m * failed) as errors_last_5m,
        1 - $objective as allowed_ratio

    from calls

    group by service

)

select
    service,
    requests,
    errors,
    1 - errors / requests as availability,
    requests * allowed_ratio as allowed_errors,
    1 - errors / nullif(requests * allowed_ratio, 0) as budget_left_ratio,
    errors / nullif(requests * allowed_ratio, 0) as burn_rate,
    requests_last_hour,
    errors_last_hour / nullif(requests_last_hour * allowed_ratio, 0) as burn_rate_last_hour,
    requests_last_5m,
    errors_last_5m / nullif(requests_last_5m * allowed_ratio, 0) as burn_rate_last_5m

from counted

order by burn_rate desc, service
