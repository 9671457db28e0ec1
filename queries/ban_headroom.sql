-- @title    Headroom before Discord bans the IP address
-- @question How near is the bot to Discord's ban for invalid requests, and who eats the budget?
-- @method   Discord bans an address for 10,000 answers 401, 403 or 429 (scope shared apart) within
--           10 minutes. Counted are the 10 minutes up to the end of the window; the pace is that
--           of their last minute.
-- @window   10m
-- @param    until timestamptz  end of the window, exclusive
-- @column   endpoint  route template; NULL for the whole
-- @column   invalid_requests  answers 401, 403 and 429 in the 10 minutes
-- @column   share  invalid_requests / 10,000
-- @column   invalid_last_minute  those of the last minute
-- @column   seconds_to_ban  seconds until 10,000 at the pace of the last minute; NULL where that
--           pace never fills 10 minutes with 10,000
-- @sample   incident
with

calls as materialized (

    select
        coalesce(endpoint, '(none)') as endpoint_name,
        case
            when status_code in (401, 403) then 1
            when status_code = 429 and coalesce(rate_limit_scope, '') <> 'shared' then 1
            else 0
        end as is_invalid,
        case
            when timestamp >= lk_time(lk_epoch($until) - 60000000) then 1
            else 0
        end as is_last_minute

    from events

    where
        timestamp >= lk_time(lk_epoch($until) - 600000000)
        and timestamp < $until
        and platform = 'discord'
        and status_code is not null

),

counted as (

    select
        0 as is_endpoint,
        null as endpoint,
        count(*) as calls,
        sum(is_invalid) as invalid,
        sum(is_invalid * is_last_minute) as invalid_last

    from calls

    union all

    select
        1 as is_endpoint,
        endpoint_name as endpoint,
        count(*) as calls,
        sum(is_invalid) as invalid,
        sum(is_invalid * is_last_minute) as invalid_last

    from calls

    group by endpoint_name

)

select
    endpoint,
    cast(invalid as bigint) as invalid_requests,
    invalid / 1e4 as share,
    cast(invalid_last as bigint) as invalid_last_minute,
    case
        when invalid >= 10000 then 0e0
        when invalid_last * 10 > 10000 then (10000 - invalid) * 60 / invalid_last
    end as seconds_to_ban

from counted

where
    calls > 0
    and (
        is_endpoint = 0
        or invalid > 0
    )

order by is_endpoint, invalid_requests desc, endpoint
