-- @title    Secrets in plain text
-- @question Does a log line hold a token, key or password?
-- @method   Tokens of Discord, Telegram, Slack and GitHub, keys of OpenAI, Anthropic and AWS,
--           bearer tokens, JWTs, private keys and passwords in URLs are known by their shape. The
--           secret itself is not shown, only where it stands.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @column   service  logical name of the bot or worker
-- @column   kind  what it is
-- @column   field  field that holds it
-- @column   event  name of the event
-- @column   lines  rows with one
-- @column   first_seen_at  the first
-- @column   last_seen_at  the last
-- @column   last_file  file of the last
-- @column   last_offset  byte offset of that line in it
-- @sample   incident
with

windowed as materialized (

    select
        timestamp,
        service,
        event,
        message,
        error_message,
        endpoint,
        fields,
        source_file,
        source_id,
        source_offset

    from events

    where
        timestamp >= $since
        and timestamp < $until

),

texts as (

    select
        *,
        'message' as field,
        lk_secret_kind(message) as kind
    from windowed
    where message is not null

    union all

    select
        *,
        'error_message' as field,
        lk_secret_kind(error_message) as kind
    from windowed
    where error_message is not null

    union all

    select
        *,
        'endpoint' as field,
        lk_secret_kind(endpoint) as kind
    from windowed
    where endpoint is not null

    union all

    select
        *,
        'fields' as field,
        lk_secret_kind(cast(fields as varchar)) as kind
    from windowed
    where fields is not null

)

select
    service,
    kind,
    field,
    event,
    count(*) as lines,
    min(timestamp) as first_seen_at,
    max(timestamp) as last_seen_at,
    lk_arg_max(source_file, (timestamp, source_id, source_offset)) as last_file,
    lk_arg_max(source_offset, (timestamp, source_id, source_offset)) as last_offset

from texts

where kind is not null

group by service, kind, field, event

order by lines desc, service, kind, field, event
