-- @title    Restarts
-- @question When did a process start anew, how long was it away, and had it ended in good order?
-- @method   A run is what an instance logged. A restart is a run that began after another run of
--           its service on its host had ended, wherever that lies before the window. Where several
--           run side by side, each new run takes the place of the one that ended first and was not
--           yet replaced. It is a deploy where the version changed, a stop where the last event of
--           the run before it is named ...stopped, else a crash.
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

runs as materialized (

    select
        service,
        host,
        instance,
        coalesce('=' || service, '') as service_key,
        coalesce('=' || host, '') as host_key,
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

-- Of one instant ends come first; but the end of a run of one row lies behind its start.
points as (

    select
        service_key,
        host_key,
        instance,
        first_at as point_at,
        1 as is_start,
        1 as point_rank
    from runs

    union all

    select
        service_key,
        host_key,
        instance,
        last_at as point_at,
        0 as is_start,
        case when first_at < last_at then 0 else 2 end as point_rank
    from runs

),

counted as (

    select
        *,
        sum(is_start) over (
            partition by service_key, host_key
            order by point_at, point_rank, instance
            rows between unbounded preceding and current row
        ) as starts,
        sum(1 - is_start) over (
            partition by service_key, host_key
            order by point_at, point_rank, instance
            rows between unbounded preceding and current row
        ) as ends

    from points

),

-- Each start replaces a run if more have ended than were replaced before: replaced becomes
-- least(replaced + 1, ends). Over all starts that is this minimum.
matched as materialized (

    select
        *,
        starts + min(case when is_start = 1 then ends - starts end) over (
            partition by service_key, host_key
            order by point_at, point_rank, instance
            rows between unbounded preceding and current row
        ) as replaced

    from counted

),

stepped as (

    select
        service_key,
        host_key,
        instance,
        replaced as place,
        lag(replaced, 1, 0) over (
            partition by service_key, host_key
            order by starts
        ) as replaced_before

    from matched

    where is_start = 1

),

ended as (

    select
        service_key,
        host_key,
        ends as place,
        first_at as previous_first_at,
        last_at as previous_last_at,
        stopped_at as previous_stopped_at,
        run_version as older_version

    from matched

    inner join runs using (service_key, host_key, instance)

    where is_start = 0

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

from stepped

inner join ended using (service_key, host_key, place)

inner join runs using (service_key, host_key, instance)

where
    place > replaced_before
    and first_at >= $since

order by started_at, service, host, instance
