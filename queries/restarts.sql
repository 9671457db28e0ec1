-- @title    Restarts
-- @question When did a process start anew, how long was it away, and had it ended in good order?
-- @method   A run is what an instance logged. A restart is a run that began after another run of
--           its service on its host had ended, wherever that lies before the window. It is a
--           deploy where the version changed, a stop where the last event of the run before it is
--           named ...stopped, else a crash.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @column   started_at  first row of the new run
-- @column   service  logical name of the bot or worker
-- @column   host  machine or container
-- @column   instance  the new run
-- @column   reason  deploy, stop or crash
-- @column   ended_at  last row of the run before it
-- @column   down_seconds  from there to the first row of the new run, seconds
-- @column   uptime_seconds  from the first to the last row of the run before, seconds
-- @column   version  version of the new run
-- @column   previous_version  version of the run before it
-- @sample   incident
with

runs as (

    select
        service,
        host,
        instance,
        min(timestamp) as first_at,
        max(timestamp) as last_at,
        max(version) as run_version,
        max(case when event like '%stopped' then timestamp end) as stopped_at

    from events

    where
        timestamp < $until
        and instance is not null

    group by service, host, instance

),

followed as (

    select
        *,
        lag(first_at, 1, null) over (
            partition by service, host
            order by first_at, last_at, instance
        ) as previous_first_at,
        lag(last_at, 1, null) over (
            partition by service, host
            order by first_at, last_at, instance
        ) as previous_last_at,
        lag(stopped_at, 1, null) over (
            partition by service, host
            order by first_at, last_at, instance
        ) as previous_stopped_at,
        lag(run_version, 1, null) over (
            partition by service, host
            order by first_at, last_at, instance
        ) as older_version

    from runs

)

select
    first_at as started_at,
    service,
    host,
    instance,
    case
        when run_version <> older_version then 'deploy'
        when previous_stopped_at = previous_last_at then 'stop'
        else 'crash'
    end as reason,
    previous_last_at as ended_at,
    (lk_epoch(first_at) - lk_epoch(previous_last_at)) / 1e6 as down_seconds,
    (lk_epoch(previous_last_at) - lk_epoch(previous_first_at)) / 1e6 as uptime_seconds,
    run_version as version,
    older_version as previous_version

from followed

where
    first_at >= $since
    and first_at >= previous_last_at

order by started_at, service, host, instance
