-- @title    Users, guilds and chats touched by failures
-- @question How many people, guilds and chats did the failures reach?
-- @method   A failure is a failed request or a row at level error or critical. It reaches whom any
--           row of its correlation id names. The first row, with a NULL command, is the whole;
--           it is there even without failures as long as there are users.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @column   command  feature that was used; NULL for the whole
-- @column   failures  failures
-- @column   affected_users  distinct user ids that they reached
-- @column   users  distinct user ids
-- @column   affected_user_ratio  affected users / users, 0 to 1, NULL without users
-- @column   affected_guilds  distinct guild ids that they reached
-- @column   affected_chats  distinct chat ids that they reached
-- @column   first_failure_at  the first failure
-- @column   last_failure_at  the last failure
-- @sample   incident
with

windowed as materialized (

    select
        timestamp,
        command,
        correlation_id,
        user_id,
        guild_id,
        chat_id,
        case
            when level in ('error', 'critical') then 1
            when status_code >= 400 and status_code <> 429 then 1
            else 0
        end as is_failure

    from events

    where
        timestamp >= $since
        and timestamp < $until

),

failed_ids as (

    select distinct correlation_id

    from windowed

    where
        is_failure = 1
        and correlation_id is not null

),

touched as materialized (

    select
        command,
        is_failure,
        timestamp,
        user_id,
        guild_id,
        chat_id

    from windowed

    where
        is_failure = 1
        or correlation_id in (select correlation_id from failed_ids)

),

affected as (

    select
        0 as is_command,
        '' as command_key,
        sum(is_failure) as failure_count,
        count(distinct user_id) as user_count,
        count(distinct guild_id) as guild_count,
        count(distinct chat_id) as chat_count,
        min(case when is_failure = 1 then timestamp end) as first_at,
        max(case when is_failure = 1 then timestamp end) as last_at

    from touched

    union all

    select
        1 as is_command,
        command as command_key,
        sum(is_failure) as failure_count,
        count(distinct user_id) as user_count,
        count(distinct guild_id) as guild_count,
        count(distinct chat_id) as chat_count,
        min(case when is_failure = 1 then timestamp end) as first_at,
        max(case when is_failure = 1 then timestamp end) as last_at

    from touched

    where command is not null

    group by command

),

pairs as materialized (

    select distinct
        command,
        user_id

    from windowed

    where user_id is not null

),

present as (

    select
        0 as is_command,
        '' as command_key,
        count(distinct user_id) as all_count

    from pairs

    union all

    select
        1 as is_command,
        command as command_key,
        count(*) as all_count

    from pairs

    where command is not null

    group by command

)

select
    case when is_command = 1 then command_key end as command,
    cast(coalesce(failure_count, 0) as bigint) as failures,
    user_count as affected_users,
    coalesce(all_count, 0) as users,
    user_count / nullif(all_count, 0) as affected_user_ratio,
    guild_count as affected_guilds,
    chat_count as affected_chats,
    first_at as first_failure_at,
    last_at as last_failure_at

from affected

left join present using (is_command, command_key)

where
    failure_count > 0
    or (
        is_command = 0
        and all_count > 0
    )

order by is_command, affected_users desc, failures desc, command_key
