-- @title    One action, step by step
-- @question What happened to this user action, in which order and for how long?
-- @method   Every row whose correlation id or trace id is the one given, in the order in which the
--           steps began: at the row's time less its duration.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @param    id varchar = ''  correlation id or trace id
-- @column   started_at  when the step began
-- @column   ended_at  when its row was written
-- @column   duration_ms  milliseconds that it took; NULL for a moment
-- @column   service  logical name of the bot or worker
-- @column   event  name of the event
-- @column   level  severity
-- @column   operation  method and endpoint, else command, else message
-- @column   status_code  HTTP status
-- @column   attempt  retry number
-- @column   queue_wait_ms  milliseconds that it had waited in a queue
-- @column   error  type and text of its error
-- @column   span_id  id of the step
-- @column   parent_span_id  id of the step that it belongs to
-- @sample   incident
with

steps as (

    select
        timestamp,
        service,
        event,
        level,
        endpoint,
        method,
        command,
        message,
        status_code,
        attempt,
        duration_ms,
        queue_wait_ms,
        error_type,
        error_message,
        span_id,
        parent_span_id,
        source_id,
        source_offset,
        lk_started_us(timestamp, duration_ms) as begun_us

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and $id <> ''
        and (
            correlation_id = $id
            or trace_id = $id
        )

)

select
    case when begun_us >= 0 then lk_time(begun_us) else timestamp end as started_at,
    timestamp as ended_at,
    duration_ms,
    service,
    event,
    level,
    coalesce(
        coalesce(method || ' ', '') || endpoint,
        command,
        message
    ) as operation,
    status_code,
    attempt,
    queue_wait_ms,
    coalesce(
        case when error_message is not null then concat(error_type, ': ', error_message) end,
        error_type
    ) as error,
    span_id,
    parent_span_id

from steps

order by started_at, ended_at desc, source_id, source_offset
