-- @title    Fields that analysis needs
-- @question Which fields does a service leave out, and which take too many different values?
-- @method   Each count is of rows that lack the field where it would be needed. A raw endpoint is
--           one with a number or a long hex id in it, which a template would replace.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @column   service  logical name of the bot or worker
-- @column   lines  rows
-- @column   no_level  rows without a level
-- @column   no_event  rows without an event
-- @column   no_instance  rows without an instance or a sequence number
-- @column   requests  requests
-- @column   no_duration  requests without a duration
-- @column   no_correlation_id  requests without a correlation id
-- @column   failures  rows at level error or critical, and requests that failed
-- @column   no_error_type  failures with neither a status nor an error type
-- @column   events  different events
-- @column   endpoints  different endpoints
-- @column   raw_endpoints  requests whose endpoint holds an id
-- @sample   incident
with

windowed as (

    select
        service,
        level,
        event,
        instance,
        seq,
        endpoint,
        duration_ms,
        correlation_id,
        status_code,
        error_type,
        lk_is_request(status_code, duration_ms, endpoint, command) as is_request,
        coalesce(level in ('error', 'critical'), false)
        or coalesce(status_code >= 400 and status_code <> 429, false) as is_failure

    from events

    where
        timestamp >= $since
        and timestamp < $until

),

-- Few rows are left for the costly look at an endpoint's text.
grouped as (

    select
        service,
        event,
        endpoint,
        count(*) as row_count,
        sum(case when level is null then 1 else 0 end) as unlevelled,
        sum(case when instance is null or seq is null then 1 else 0 end) as unnumbered,
        sum(case when is_request then 1 else 0 end) as request_count,
        sum(case when is_request and duration_ms is null then 1 else 0 end) as untimed,
        sum(case when is_request and correlation_id is null then 1 else 0 end) as uncorrelated,
        sum(case when is_failure then 1 else 0 end) as failure_count,
        sum(
            case when is_failure and status_code is null and error_type is null then 1 else 0 end
        ) as untyped

    from windowed

    group by service, event, endpoint

),

judged as (

    select
        *,
        case
            when lk_extract(endpoint, '(/[0-9]+(?:[/?]|$)|[0-9a-fA-F-]{16}|[0-9]{6})') is not null
                then request_count
            else 0
        end as raw_count

    from grouped

)

select
    service,
    cast(sum(row_count) as bigint) as lines,
    cast(sum(unlevelled) as bigint) as no_level,
    cast(sum(case when event is null then row_count else 0 end) as bigint) as no_event,
    cast(sum(unnumbered) as bigint) as no_instance,
    cast(sum(request_count) as bigint) as requests,
    cast(sum(untimed) as bigint) as no_duration,
    cast(sum(uncorrelated) as bigint) as no_correlation_id,
    cast(sum(failure_count) as bigint) as failures,
    cast(sum(untyped) as bigint) as no_error_type,
    count(distinct event) as events,
    count(distinct endpoint) as endpoints,
    cast(sum(raw_count) as bigint) as raw_endpoints

from judged

group by service

order by service
