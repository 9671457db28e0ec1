-- @title    Silences of a service
-- @question When did a service write nothing, though it usually does, and is it back?
-- @method   A silence is a time without rows of a service, at least least_seconds long and at least
--           three times as long as all its pauses but the longest hundredth of them, one at least:
--           a service that often pauses has to pause far longer. A pause goes from the last row of
--           a minute to the next row, or after its last row to the newest row of any service.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @param    least_seconds double = 300  shortest silence, 60 or more
-- @column   service  logical name of the bot or worker
-- @column   started_at  last row before it
-- @column   ended_at  first row after it; NULL while others write and this one does not
-- @column   silent_seconds  from started_at to ended_at, or to the newest row of any service
-- @column   usual_seconds  longest pause that is usual for the service
-- @sample   incident
with

minutes as (

    select
        service,
        lk_bucket(60, timestamp) as bucket_at,
        min(timestamp) as first_at,
        max(timestamp) as last_at

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and lk_check($least_seconds >= 60, 'least_seconds must be 60 or more')

    group by service, lk_bucket(60, timestamp)

),

followed as (

    select
        service,
        last_at,
        lead(first_at, 1, null) over (
            partition by service
            order by bucket_at
        ) as next_at,
        max(last_at) over (
            order by bucket_at
            rows between unbounded preceding and unbounded following
        ) as newest_at

    from minutes

),

pauses as (

    select
        service,
        last_at,
        next_at,
        lk_epoch(coalesce(next_at, newest_at)) - lk_epoch(last_at) as pause_us,
        count(*) over (
            partition by service
            order by last_at
            rows between unbounded preceding and unbounded following
        ) as pause_count

    from followed

),

ranked as (

    select
        *,
        count(*) over (
            partition by service
            order by pause_us desc, last_at
            rows between unbounded preceding and current row
        ) as place

    from pauses

),

judged as (

    select
        *,
        max(case when place > greatest(pause_count / 100, 1) then pause_us end) over (
            partition by service
            order by place
            rows between unbounded preceding and unbounded following
        ) as usual_us

    from ranked

)

select
    service,
    last_at as started_at,
    next_at as ended_at,
    pause_us / 1e6 as silent_seconds,
    usual_us / 1e6 as usual_seconds

from judged

where
    pause_us >= $least_seconds * 1e6
    and pause_us >= 3 * usual_us

order by started_at, service
