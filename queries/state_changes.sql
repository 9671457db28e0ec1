-- @title    State changes of breakers, health checks and alerts
-- @question When did a circuit breaker open, a health check fail, an alert fire?
-- @method   Rows named breaker_opened, breaker_half_opened and breaker_closed, health_checked with
--           a status, and alert_...; of rows that say the same again, the first one.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @column   changed_at  when
-- @column   service  logical name of the bot or worker
-- @column   kind  breaker, health or alert
-- @column   name  name of the breaker, check or alert
-- @column   state  from then on: open, half_open, closed; what the check says; fired, resolved
-- @column   detail  text of the row, else of its error
-- @sample   incident
with

stated as (

    select
        timestamp,
        source_id,
        source_offset,
        service,
        instance,
        coalesce(message, error_message) as detail,
        case
            when starts_with(event, 'breaker_') then 'breaker'
            when event = 'health_checked' then 'health'
            else 'alert'
        end as kind,
        coalesce(
            lk_field(fields, 'breaker'),
            lk_field(fields, 'check'),
            lk_field(fields, 'alert'),
            lk_field(fields, 'name'),
            endpoint,
            ''
        ) as name,
        case
            when event = 'breaker_opened' then 'open'
            when event = 'breaker_half_opened' then 'half_open'
            when event = 'breaker_closed' then 'closed'
            when event = 'health_checked'
                then
                    coalesce(
                        lk_field(fields, 'status'),
                        lk_field(fields, 'state'),
                        lk_field(fields, 'outcome'),
                        case
                            when level in ('error', 'critical', 'warning') then 'failed' else 'ok'
                        end
                    )
            else substr(event, 7)
        end as state

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and (
            event = 'health_checked'
            or starts_with(event, 'breaker_')
            or starts_with(event, 'alert_')
        )

),

compared as (

    select
        timestamp,
        source_id,
        source_offset,
        service,
        kind,
        name,
        state,
        detail,
        lag(state, 1, '') over (
            partition by service, instance, kind, name
            order by timestamp, source_id, source_offset
        ) as previous_state

    from stated

)

select
    timestamp as changed_at,
    service,
    kind,
    name,
    state,
    detail

from compared

where state <> previous_state

order by timestamp, source_id, source_offset
