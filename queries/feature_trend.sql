-- @title    Features, who comes back to them, and their trend
-- @question Which features are kept in use, and which are losing their users?
-- @method   One use is one correlation id with the command; a row without an id is a use. The trend
--           compares the second half of the window with the first.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @column   command  feature
-- @column   uses  user actions
-- @column   uses_ratio  uses / uses of all features, 0 to 1
-- @column   users  distinct user ids
-- @column   days  days (UTC) with a use
-- @column   retained_users  users of the first half who came back to it in the second
-- @column   first_half_users  users of the first half
-- @column   retention_ratio  retained / first half users, 0 to 1, NULL without any
-- @column   first_half_uses  uses in the first half
-- @column   second_half_uses  uses in the second half
-- @column   trend  second / first half uses - 1; NULL without a use in the first half
-- @sample   incident
with

windowed as materialized (

    select
        command,
        correlation_id,
        user_id,
        lk_bucket(86400, timestamp) as day_at,
        case
            when lk_epoch(timestamp) * 2 < lk_epoch($since) + lk_epoch($until) then 1
            else 2
        end as half

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and command is not null

),

-- An action on both sides of the middle belongs to the first half.
actions as (

    select
        command,
        correlation_id,
        min(half) as use_half

    from windowed

    where correlation_id is not null

    group by command, correlation_id

    union all

    select
        command,
        null as correlation_id,
        half as use_half

    from windowed

    where correlation_id is null

),

uses as materialized (

    select
        command,
        count(*) as use_count,
        sum(case when use_half = 1 then 1 else 0 end) as first_count

    from actions

    group by command

),

days as (

    select
        command,
        count(distinct day_at) as day_count

    from windowed

    group by command

),

halves_of_users as (

    select
        command,
        user_id,
        min(half) as first_half,
        max(half) as last_half

    from windowed

    where user_id is not null

    group by command, user_id

),

users as (

    select
        command,
        count(*) as user_count,
        sum(case when first_half = 1 then 1 else 0 end) as first_user_count,
        sum(case when first_half < last_half then 1 else 0 end) as retained_count

    from halves_of_users

    group by command

),

totals as (

    select sum(use_count) as total_count

    from uses

)

select
    command,
    use_count as uses,
    use_count / total_count as uses_ratio,
    coalesce(user_count, 0) as users,
    day_count as days,
    cast(coalesce(retained_count, 0) as bigint) as retained_users,
    cast(coalesce(first_user_count, 0) as bigint) as first_half_users,
    retained_count / nullif(first_user_count, 0) as retention_ratio,
    cast(first_count as bigint) as first_half_uses,
    cast(use_count - first_count as bigint) as second_half_uses,
    (use_count - first_count) / nullif(first_count, 0) - 1 as trend

from uses

inner join days using (command)

left join users using (command)

cross join totals

order by use_count desc, command
