-- @title    Health of each dependency
-- @question Which API fails or times out, and did it begin to answer in a new way?
-- @method   A kind of answer is a status or, where there is none, an error type. It is new where
--           it first came within the window, and later than learning_seconds after the first
--           answer that the log knows of that endpoint. The worst come first, by errors /
--           (requests + 10): a single call that failed says little.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @param    learning_seconds double = 3600  time in which every kind of answer is taken as known
-- @column   service  logical name of the bot or worker
-- @column   method  HTTP method
-- @column   endpoint  route template
-- @column   requests  requests
-- @column   errors  requests with status 400 or above except 429, or none at level error
-- @column   server_errors  requests with status 500 or above
-- @column   timeouts  requests with error type timeout
-- @column   rate_limited  requests with status 429
-- @column   error_ratio  errors / requests, 0 to 1
-- @column   p95_ms  95 of 100 with a duration took at most this, milliseconds
-- @column   last_success_at  last request that neither failed nor met a 429
-- @column   last_error_at  last request that failed
-- @column   new_answers  kinds of answer never seen before
-- @column   newest_answer  the one that came last
-- @column   newest_answer_at  when it first came
-- @sample   incident
with

-- From the start of the log: what is new in the window depends on what came before it. Rows of
-- one kind are put together first, so that the rest of the work is on a few rows.
kinds as materialized (

    select
        service,
        method,
        endpoint,
        coalesce(cast(status_code as varchar), error_type, '') as kind,
        coalesce('=' || service, '') as service_key,
        coalesce('=' || method, '') as method_key,
        min(timestamp) as first_at

    from events

    where
        timestamp < $until
        and endpoint is not null
        and lk_is_request(status_code, duration_ms, endpoint, command)

    group by service, method, endpoint, coalesce(cast(status_code as varchar), error_type, '')

),

beginnings as (

    select
        service_key,
        method_key,
        endpoint,
        min(first_at) as begun_at

    from kinds

    group by service_key, method_key, endpoint

),

novelties as (

    select
        service_key,
        method_key,
        endpoint,
        count(*) as new_count,
        lk_arg_max(kind, (first_at, kind)) as newest_answer,
        max(first_at) as newest_answer_at

    from kinds

    inner join beginnings using (service_key, method_key, endpoint)

    where
        first_at >= $since
        and kind <> ''
        and lk_epoch(first_at) >= lk_epoch(begun_at) + $learning_seconds * 1e6

    group by service_key, method_key, endpoint

),

calls as (

    select
        timestamp,
        service,
        method,
        endpoint,
        status_code,
        error_type,
        duration_ms,
        lk_is_error(status_code, level) as has_failed,
        coalesce('=' || service, '') as service_key,
        coalesce('=' || method, '') as method_key

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and endpoint is not null
        and lk_is_request(status_code, duration_ms, endpoint, command)

),

counted as (

    select
        service_key,
        method_key,
        endpoint,
        min(service) as call_service,
        min(method) as call_method,
        count(*) as request_count,
        sum(case when has_failed then 1 else 0 end) as error_count,
        sum(case when status_code >= 500 then 1 else 0 end) as server_error_count,
        sum(case when error_type = 'timeout' then 1 else 0 end) as timeout_count,
        sum(case when status_code = 429 then 1 else 0 end) as rate_limited_count,
        lk_percentile(duration_ms, 95e-2) as p95_ms,
        max(
            case when not has_failed and coalesce(status_code, 0) <> 429 then timestamp end
        ) as last_success_at,
        max(case when has_failed then timestamp end) as last_error_at

    from calls

    group by service_key, method_key, endpoint

)

select
    call_service as service,
    call_method as method,
    endpoint,
    request_count as requests,
    cast(error_count as bigint) as errors,
    cast(server_error_count as bigint) as server_errors,
    cast(timeout_count as bigint) as timeouts,
    cast(rate_limited_count as bigint) as rate_limited,
    error_count / request_count as error_ratio,
    p95_ms,
    last_success_at,
    last_error_at,
    coalesce(new_count, 0) as new_answers,
    newest_answer,
    newest_answer_at

from counted

left join novelties using (service_key, method_key, endpoint)

order by
    error_count / (request_count + 10) desc, request_count desc, service_key, method_key, endpoint
