-- @title    Deploys
-- @question Which version went live when?
-- @method   A run of a process whose version differs from that of the run before it, or the first
--           run of a service. Runs without a version do not count.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @column   started_at  first row of the first run with the version
-- @column   service  logical name of the bot or worker
-- @column   version  version that went live
-- @column   previous_version  version before it; NULL for the first one in the log
-- @column   instance  run of the process that brought it
-- @sample   incident
with

-- From the start of the log: the version before the window tells what is new in it.
runs as (

    select
        service,
        instance,
        version,
        min(timestamp) as started_at

    from events

    where
        timestamp < $until
        and version is not null

    group by service, instance, version

),

followed as (

    select
        *,
        lag(version, 1, null) over (
            partition by service
            order by started_at, instance, version
        ) as previous_version

    from runs

)

select
    started_at,
    service,
    version,
    previous_version,
    instance

from followed

where
    started_at >= $since
    and (
        previous_version is null
        or previous_version <> version
    )

order by started_at, service, instance, version
