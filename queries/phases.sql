-- @title    Endpoints before, during and after an incident
-- @question How did each endpoint fare before, during and after?
-- @method   A request belongs to the phase in which it ended. Continuous interpolation; failed and
--           rate-limited requests count: users wait for them. Commands stand for requests that
--           have no endpoint.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @param    started_at timestamptz = null  start of the incident; NULL: that of the window
-- @param    ended_at timestamptz = null  end of the incident, exclusive; NULL: that of the window
-- @column   phase  before, during or after
-- @column   service  logical name of the bot or worker
-- @column   method  HTTP method
-- @column   operation  route template, else the command
-- @column   requests  requests that ended in the phase
-- @column   errors  requests with status 400 or above except 429, or none at level error
-- @column   rate_limited  requests with status 429
-- @column   p50_ms  half of those with a duration took at most this, milliseconds
-- @column   p95_ms  95 of 100 took at most this, milliseconds
-- @sample   incident
with

asked as (

    select
        service,
        method,
        duration_ms,
        coalesce(endpoint, command) as operation,
        case
            when timestamp < coalesce($started_at, $since) then 'before'
            when timestamp < coalesce($ended_at, $until) then 'during'
            else 'after'
        end as phase,
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
        phase,
        service,
        method,
        operation,
        count(*) as requests,
        cast(sum(case when is_error then 1 else 0 end) as bigint) as errors,
        cast(sum(case when is_rate_limited then 1 else 0 end) as bigint) as rate_limited,
        lk_percentile(duration_ms, 5e-1) as p50_ms,
        lk_percentile(duration_ms, 95e-2) as p95_ms

    from asked

    group by phase, service, method, operation

)

select
    phase,
    service,
    method,
    operation,
    requests,
    errors,
    rate_limited,
    p50_ms,
    p95_ms

from measured

order by service, operation, method, phase
