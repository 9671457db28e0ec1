-- @title    Use a day
-- @question How many people use the bot each day, and do they come back?
-- @method   One use is one correlation id with a command; a row without an id is a use. Days are
--           counted in UTC. A user is new on the first day of the window on which they used a
--           command, and else has come back.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @column   day_at  start of the day
-- @column   uses  user actions with a command
-- @column   commands  different commands used
-- @column   users  distinct user ids
-- @column   new_users  those not seen before in the window
-- @column   returning_users  those seen before
-- @column   guilds  distinct guild ids of rows with a command
-- @column   uses_change  uses / uses of the day before - 1; NULL if there were none
-- @plot     uses
-- @sample   incident
with

windowed as materialized (

    select
        command,
        correlation_id,
        user_id,
        guild_id,
        lk_bucket(86400, timestamp) as day_at

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and command is not null

),

counted as (

    select
        day_at,
        count(distinct correlation_id)
        + sum(case when correlation_id is null then 1 else 0 end) as use_count,
        count(distinct command) as command_count,
        count(distinct guild_id) as guild_count

    from windowed

    group by day_at

),

days_of_users as materialized (

    select distinct
        user_id,
        day_at

    from windowed

    where user_id is not null

),

first_days as (

    select
        user_id,
        min(day_at) as first_day_at

    from days_of_users

    group by user_id

),

users as (

    select
        day_at,
        count(*) as user_count,
        sum(case when first_day_at = day_at then 1 else 0 end) as new_count

    from days_of_users

    inner join first_days using (user_id)

    group by day_at

),

followed as (

    select
        *,
        lk_epoch(day_at) - lag(lk_epoch(day_at), 1, null) over (
            order by day_at
        ) as passed_us,
        lag(use_count, 1, null) over (
            order by day_at
        ) as uses_before

    from counted

    left join users using (day_at)

)

select
    day_at,
    cast(use_count as bigint) as uses,
    command_count as commands,
    coalesce(user_count, 0) as users,
    cast(coalesce(new_count, 0) as bigint) as new_users,
    cast(coalesce(user_count, 0) - coalesce(new_count, 0) as bigint) as returning_users,
    guild_count as guilds,
    case when passed_us = 86400000000 then use_count / uses_before - 1 end as uses_change

from followed

order by day_at
