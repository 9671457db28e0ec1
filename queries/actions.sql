-- @title    Longest or failed user actions
-- @question Which actions took longest, which failed, and where is an example to look at?
-- @method   An action is all rows of one correlation id, from the start of its first step to the
--           end of its last. It failed if a row is at level error or critical or has a status of
--           failed_from or above.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @param    only_failed boolean = false  whether to leave out actions that did not fail
-- @param    failed_from integer = 500  status from which on an answer is a failure
-- @param    most integer = 20  number of actions shown
-- @column   correlation_id  for `logkit trace`
-- @column   command  feature that was used
-- @column   started_at  start of the first step
-- @column   elapsed_ms  milliseconds to the end of the last
-- @column   events  rows
-- @column   services  the first and the last service by name that took part
-- @column   failures  rows that failed
-- @sample   incident
with

failing as (

    select distinct correlation_id

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and correlation_id is not null
        and (
            level in ('error', 'critical')
            or status_code >= $failed_from
        )

),

windowed as (

    select
        correlation_id,
        command,
        service,
        lk_epoch(timestamp) as ended_us,
        lk_started_us(timestamp, duration_ms) as begun_us,
        case
            when level in ('error', 'critical') or status_code >= $failed_from then 1
            else 0
        end as failed

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and correlation_id is not null
        -- Most actions do not fail: grouping them to leave them out would be the whole cost.
        and (
            not $only_failed
            or correlation_id in (select correlation_id from failing)
        )

),

measured as (

    select
        correlation_id,
        max(command) as any_command,
        min(begun_us) as first_us,
        max(ended_us) - min(begun_us) as elapsed_us,
        count(*) as event_count,
        min(service) as first_service,
        max(service) as last_service,
        sum(failed) as failure_count

    from windowed

    group by correlation_id

),

longest as (

    select *

    from measured

    order by elapsed_us desc, correlation_id

    limit $most

)

select
    correlation_id,
    any_command as command,
    case when first_us >= 0 then lk_time(first_us) end as started_at,
    elapsed_us / 1e3 as elapsed_ms,
    event_count as events,
    case
        when first_service is null or first_service = last_service then first_service
        else concat(first_service, ', ', last_service)
    end as services,
    cast(failure_count as bigint) as failures

from longest

order by elapsed_us desc, correlation_id
