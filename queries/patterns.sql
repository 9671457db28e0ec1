-- @title    Log templates
-- @question What kinds of lines are there, which are new, and which have gone silent?
-- @method   Rows of one service, level and event whose message has the same shape: values such as
--           numbers, ids, quoted text and addresses are stars. The log before the window tells
--           what is new; without any, nothing is.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @column   service  logical name of the bot or worker
-- @column   level  severity
-- @column   event  name of the event
-- @column   template  shape of the message; NULL without one
-- @column   count  rows in the window
-- @column   share  count / rows in the window, 0 to 1
-- @column   count_before  rows before the window
-- @column   first_seen_at  the first one, before the window too
-- @column   last_seen_at  the last one before the end of the window
-- @column   change  new: never before the window; vanished: not in it; else NULL
-- @column   example  one of the messages
-- @sample   incident
with

-- Equal messages are put together before their shape is found, which costs most.
texts as (

    select
        service,
        level,
        event,
        message,
        sum(case when timestamp >= $since then 1 else 0 end) as text_count,
        count(*) as text_count_ever,
        min(timestamp) as text_first_at,
        max(timestamp) as text_last_at

    from events

    where timestamp < $until

    group by service, level, event, message

),

shaped as (

    select
        *,
        lk_shape(message) as shape

    from texts

),

templates as materialized (

    select
        service,
        level,
        event,
        shape,
        sum(text_count) as row_count,
        sum(text_count_ever) as all_count,
        min(text_first_at) as first_at,
        max(text_last_at) as last_at,
        max(message) as any_message

    from shaped

    group by service, level, event, shape

),

totals as (

    select
        sum(row_count) as total_count,
        min(first_at) as begun_at

    from templates

)

select
    service,
    level,
    event,
    shape as template,
    cast(row_count as bigint) as count,
    row_count / nullif(total_count, 0) as share,
    cast(all_count - row_count as bigint) as count_before,
    first_at as first_seen_at,
    last_at as last_seen_at,
    case
        when row_count = 0 then 'vanished'
        when all_count = row_count and begun_at < $since then 'new'
    end as change,
    any_message as example

from templates

cross join totals

order by row_count desc, all_count desc, service, level, event, shape
