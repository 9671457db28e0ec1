-- @title    Most frequent errors
-- @question What fails most, since when, and does it still?
-- @method   Every failed request, every 429, and every row at level error or critical. Rows
--           without an event are told apart by the shape of their message, in which values such
--           as numbers, ids and quoted text are stars.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @column   service  logical name of the bot or worker
-- @column   event  name of the event
-- @column   template  shape of the message where there is no event; else NULL
-- @column   endpoint  route template
-- @column   status_code  HTTP status
-- @column   error_type  class of the exception, or "timeout"
-- @column   errors  rows
-- @column   first_seen_at  the first of them
-- @column   last_seen_at  the last of them
-- @column   last_message  text of the last of them that has one
-- @sample   incident
with

failures as (

    select
        timestamp,
        service,
        event,
        endpoint,
        status_code,
        error_type,
        source_id,
        source_offset,
        case when event is null then lk_shape(message) end as shape,
        coalesce(error_message, message) as error_text

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and (
            status_code >= 400
            or level in ('error', 'critical')
        )

),

grouped as (

    select
        service,
        event,
        shape,
        endpoint,
        status_code,
        error_type,
        count(*) as errors,
        min(timestamp) as first_seen_at,
        max(timestamp) as last_seen_at,
        lk_arg_max(error_text, (timestamp, source_id, source_offset)) as last_message

    from failures

    group by service, event, shape, endpoint, status_code, error_type

)

select
    service,
    event,
    shape as template,
    endpoint,
    status_code,
    error_type,
    errors,
    first_seen_at,
    last_seen_at,
    last_message

from grouped

order by errors desc, service, event, endpoint, status_code, error_type, shape
