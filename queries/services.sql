-- @title    Services and their versions
-- @question Who wrote this log, in which versions, on which machines?
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @column   service  logical name of the bot or worker
-- @column   version  deployed version; NULL where rows name none
-- @column   events  rows
-- @column   instances  runs of the process
-- @column   hosts  machines or containers
-- @column   first_seen_at  the first row
-- @column   last_seen_at  the last row
-- @sample   incident
with

windowed as (

    select
        service,
        version,
        instance,
        host,
        timestamp

    from events

    where
        timestamp >= $since
        and timestamp < $until

),

counted as (

    select
        service,
        version,
        count(*) as events,
        count(distinct instance) as instances,
        count(distinct host) as hosts,
        min(timestamp) as first_seen_at,
        max(timestamp) as last_seen_at

    from windowed

    group by service, version

)

select
    service,
    version,
    events,
    instances,
    hosts,
    first_seen_at,
    last_seen_at

from counted

order by service, first_seen_at, version
