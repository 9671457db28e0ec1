-- @title    Slow commands and what makes them slow
-- @question Which commands are slow, for how many, and in which call does the time go?
-- @method   A command's own time is that of a row with a command and a duration but neither an
--           endpoint nor a status; the calls made for it are the rows with the command and an
--           endpoint. Continuous interpolation; failures included.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @column   service  logical name of the bot or worker
-- @column   command  feature that was used
-- @column   runs  times that it ran
-- @column   failed_runs  those at level error or critical
-- @column   p50_ms  half of the runs took at most this, milliseconds
-- @column   p95_ms  95 of 100 took at most this, milliseconds
-- @column   p99_ms  99 of 100 took at most this, milliseconds
-- @column   max_ms  the slowest, milliseconds
-- @column   slowest_endpoint  endpoint of the calls that took most of the time
-- @column   slowest_endpoint_share  duration of those calls / duration of the runs
-- @column   slowest_correlation_id  of the slowest run that has one, for `logkit trace`
-- @sample   incident
with

timed as materialized (

    select
        service,
        command,
        endpoint,
        duration_ms,
        correlation_id,
        endpoint is null and status_code is null as is_run,
        case when lk_is_error(status_code, level) then 1 else 0 end as failed,
        coalesce('=' || service, '') as service_key

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and command is not null
        and duration_ms is not null

),

runs as (

    select
        service_key,
        command,
        min(service) as run_service,
        count(*) as run_count,
        sum(failed) as failed_count,
        sum(duration_ms) as run_ms,
        lk_percentile(duration_ms, 5e-1) as p50_ms,
        lk_percentile(duration_ms, 95e-2) as p95_ms,
        lk_percentile(duration_ms, 99e-2) as p99_ms,
        max(duration_ms) as max_ms,
        lk_arg_max(correlation_id, (duration_ms, correlation_id)) as slowest_id

    from timed

    where is_run

    group by service_key, command

),

calls as (

    select
        service_key,
        command,
        endpoint,
        sum(duration_ms) as call_ms

    from timed

    where endpoint is not null

    group by service_key, command, endpoint

),

slowest as (

    select
        service_key,
        command,
        max(call_ms) as most_call_ms,
        lk_arg_max(endpoint, (call_ms, endpoint)) as most_endpoint

    from calls

    group by service_key, command

)

select
    run_service as service,
    command,
    run_count as runs,
    cast(failed_count as bigint) as failed_runs,
    p50_ms,
    p95_ms,
    p99_ms,
    max_ms,
    most_endpoint as slowest_endpoint,
    most_call_ms / nullif(run_ms, 0) as slowest_endpoint_share,
    slowest_id as slowest_correlation_id

from runs

left join slowest using (service_key, command)

order by p95_ms desc, service_key, command
