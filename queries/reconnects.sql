-- @title    Gateway connections by shard
-- @question Does a shard lose its connection again and again, and can it resume?
-- @method   Events are told apart by their names, which discord.py's own messages give as well.
--           A session begins with an identify, goes on with a resume, and is lost when it is
--           invalidated; Discord allows 1,000 identifies a day.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @column   service  logical name of the bot or worker
-- @column   shard  gateway shard, as the field or the text tells; NULL where neither does
-- @column   identifies  sessions begun
-- @column   resumes  sessions resumed
-- @column   invalidated  sessions that the gateway gave up
-- @column   disconnects  connections closed, or lost and tried again
-- @column   resume_ratio  resumes / (identifies + resumes), NULL without either
-- @column   first_at  the first of these events
-- @column   last_at  the last of them
-- @sample   incident
with

told as (

    select
        timestamp,
        service,
        coalesce(cast(shard_id as varchar), lk_extract(message, '[Ss]hard ID ([0-9]+)')) as shard,
        case
            when
                event like '%has_connected_to_gateway%'
                or event like '%gateway_connected'
                or event like '%shard_connected'
                or event like '%session_started'
                or message like '%has connected to Gateway%'
                then 'identify'
            when
                event like '%successfully_resumed_session%'
                or event like '%gateway_resumed'
                or event like '%shard_resumed'
                or event like '%session_resumed'
                or message like '%has successfully RESUMED session%'
                then 'resume'
            when
                event like '%session_has_been_invalidated%'
                or event like '%session_invalidated'
                or message like '%session has been invalidated%'
                then 'invalidated'
            when
                event like '%attempting_a_reconnect%'
                or event like '%stopped_responding_to_the_gateway%'
                or event like '%gateway_disconnected'
                or event like '%shard_disconnected'
                or message like '%ttempting a reconnect%'
                or message like '%has stopped responding to the gateway%'
                then 'disconnect'
        end as kind

    from events

    where
        timestamp >= $since
        and timestamp < $until

),

counted as (

    select
        service,
        shard,
        sum(case when kind = 'identify' then 1 else 0 end) as identify_count,
        sum(case when kind = 'resume' then 1 else 0 end) as resume_count,
        sum(case when kind = 'invalidated' then 1 else 0 end) as invalidated_count,
        sum(case when kind = 'disconnect' then 1 else 0 end) as disconnect_count,
        min(timestamp) as earliest_at,
        max(timestamp) as latest_at

    from told

    where kind is not null

    group by service, shard

)

select
    service,
    shard,
    cast(identify_count as bigint) as identifies,
    cast(resume_count as bigint) as resumes,
    cast(invalidated_count as bigint) as invalidated,
    cast(disconnect_count as bigint) as disconnects,
    resume_count / nullif(identify_count + resume_count, 0) as resume_ratio,
    earliest_at as first_at,
    latest_at as last_at

from counted

order by disconnects desc, identifies desc, service, shard
