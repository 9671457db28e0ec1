-- @title    Use of each command
-- @question Which features do people use, and how many people?
-- @method   One use is one correlation id, however many rows it left; a row without one is a use.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @column   command  feature that was used
-- @column   uses  user actions
-- @column   users  distinct user ids
-- @sample   incident
with

windowed as (

    select
        command,
        correlation_id,
        user_id

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and command is not null

),

counted as (

    select
        command,
        count(distinct correlation_id) as correlated_uses,
        cast(sum(case when correlation_id is null then 1 else 0 end) as bigint) as single_uses,
        count(distinct user_id) as users

    from windowed

    group by command

)

select
    command,
    correlated_uses + single_uses as uses,
    users

from counted

order by uses desc, command
