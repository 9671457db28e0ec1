-- @title    Us or the platform
-- @question Do the failures come from the platform or from our own code?
-- @method   Server errors, timeouts, 429s of scope shared and slow heartbeats speak against the
--           platform; other 4xx, 429s of our own budget, exceptions in our code and a late event
--           loop against us, and so do requests that we were asked and could not answer. Those are
--           rows named request_handled, as the lines of access logs are read, request_complete,
--           request_completed or request_finished; all other requests with an endpoint are calls to
--           the platform. An exception of ours is a row at level error or critical that is no
--           answer: without a status, and no call.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @column   service  logical name of the bot or worker
-- @column   calls  requests with an endpoint that we made
-- @column   server_errors  those with status 500 or above
-- @column   timeouts  those with error type timeout and no status
-- @column   platform_error_ratio  (server errors + timeouts) / calls, NULL without calls
-- @column   shared_limits  those with status 429 and scope shared
-- @column   heartbeats  heartbeats with a duration
-- @column   heartbeat_p95_ms  95 of 100 heartbeats took at most this, milliseconds
-- @column   own_limits  those with status 429 and another scope
-- @column   client_errors  those with another status from 400 to 499
-- @column   exceptions  exceptions in our own code
-- @column   failed_answers  requests made to us and answered with status 500 or above
-- @column   worst_loop_lag_ms  longest delay of the event loop, milliseconds
-- @sample   incident
with

windowed as (

    select
        service,
        level,
        status_code,
        error_type,
        rate_limit_scope,
        loop_lag_ms,
        lk_is_answer(event) as is_answer,
        endpoint is not null
        and not lk_is_answer(event)
        and lk_is_request(status_code, duration_ms, endpoint, command) as is_call,
        case when event like '%heartbeat%' and endpoint is null then duration_ms end as heartbeat_ms

    from events

    where
        timestamp >= $since
        and timestamp < $until

),

counted as (

    select
        service,
        sum(case when is_call then 1 else 0 end) as call_count,
        sum(case when is_call and status_code >= 500 then 1 else 0 end) as server_error_count,
        sum(
            case when is_call and status_code is null and error_type = 'timeout' then 1 else 0 end
        ) as timeout_count,
        sum(
            case
                when is_call and status_code = 429 and rate_limit_scope = 'shared' then 1
                else 0
            end
        ) as shared_limit_count,
        sum(case when is_call and status_code = 429 then 1 else 0 end) as limit_count,
        sum(
            case
                when is_call and status_code >= 400 and status_code < 500 and status_code <> 429
                    then 1
                else 0
            end
        ) as client_error_count,
        sum(
            case
                when
                    level in ('error', 'critical')
                    and status_code is null
                    and not is_call
                    then 1
                else 0
            end
        ) as exception_count,
        sum(case when is_answer and status_code >= 500 then 1 else 0 end) as failed_answer_count,
        count(heartbeat_ms) as heartbeats,
        lk_percentile(heartbeat_ms, 95e-2) as heartbeat_p95_ms,
        max(loop_lag_ms) as worst_loop_lag_ms

    from windowed

    group by service

)

select
    service,
    cast(call_count as bigint) as calls,
    cast(server_error_count as bigint) as server_errors,
    cast(timeout_count as bigint) as timeouts,
    (server_error_count + timeout_count) / nullif(call_count, 0) as platform_error_ratio,
    cast(shared_limit_count as bigint) as shared_limits,
    heartbeats,
    heartbeat_p95_ms,
    cast(limit_count - shared_limit_count as bigint) as own_limits,
    cast(client_error_count as bigint) as client_errors,
    cast(exception_count as bigint) as exceptions,
    cast(failed_answer_count as bigint) as failed_answers,
    worst_loop_lag_ms

from counted

order by service
