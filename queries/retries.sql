-- @title    Retries by endpoint and command
-- @question Which calls are tried again, and what do the retries cost?
-- @method   A retry is a request with attempt 1 or more; one with attempt 0 or none is a first
--           attempt. Groups without a retry are left out.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @column   service  logical name of the bot or worker
-- @column   endpoint  route template
-- @column   command  feature for which the call was made
-- @column   requests  requests of the group
-- @column   first_attempts  those that are no retry
-- @column   retries  those that are
-- @column   retry_amplification  requests / first attempts; NULL without a first attempt
-- @column   most_attempts  attempts of the request tried most often
-- @column   failed_retries  retries that failed or met a 429
-- @column   retry_ms  duration of all retries together, milliseconds
-- @sample   incident
with

calls as (

    select
        service,
        endpoint,
        command,
        duration_ms,
        coalesce(attempt, 0) as attempt_number,
        case when status_code = 429 or lk_is_error(status_code, level) then 1 else 0 end as failed

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and lk_is_request(status_code, duration_ms, endpoint, command)

),

counted as (

    select
        service,
        endpoint,
        command,
        count(*) as requests,
        cast(sum(case when attempt_number > 0 then 1 else 0 end) as bigint) as retries,
        cast(max(attempt_number) as bigint) + 1 as most_attempts,
        cast(sum(case when attempt_number > 0 then failed else 0 end) as bigint) as failed_retries,
        coalesce(sum(case when attempt_number > 0 then duration_ms end), 0) as retry_ms

    from calls

    group by service, endpoint, command

    having max(attempt_number) > 0

)

select
    service,
    endpoint,
    command,
    requests,
    requests - retries as first_attempts,
    retries,
    requests / nullif(requests - retries, 0) as retry_amplification,
    most_attempts,
    failed_retries,
    retry_ms

from counted

order by retries desc, service, endpoint, command
