-- @title    Start of each degradation
-- @question What got worse, since when, and is it over?
-- @detector change_points
-- @method   Calls are binned by their start, per service, method and endpoint, so that a shift of
--           the traffic is no degradation; 429s are no errors. A call is slow beyond twice the
--           90th percentile that is usual for it. The detector cuts each series of bins into
--           levels, asks whether a level is worse enough, long enough, sharper than the usual ups
--           and downs and not usual at that time, and looks for the first call of the new level:
--           that with which a new run or version of the process began, if it may be that one. An
--           endpoint is NULL where most endpoints of the service got worse together, or the calls
--           have none. Of a service that logs no calls, the share of lines at level error is
--           watched. All this takes 200 seconds of the worse level, and 4 minutes before it.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @param    bin_seconds integer = 0  width of a bin; 0: the window's 5000th part, at least 30 s
-- @column   service  logical name of the bot or worker
-- @column   metric  latency, error_ratio, error_lines, queue_depth, cpu_percent or
--           open_connections
-- @column   endpoint  route template; NULL for the whole service
-- @column   queue  name of the queue
-- @column   started_at  start of the first call, or first sample, of the worse level
-- @column   ended_at  the same for the return to normal; NULL while it is going on
-- @column   baseline  level before: milliseconds, 0 to 1, items, percent or connections
-- @column   degraded  level during it, in the same unit
-- @column   score  contrast of the level just after the start to that before, in standard errors
-- @column   evidence  JSON: seconds from the bin before the start to its own, samples before and
--           during, ratio, ids of affected calls
-- @sample   incident
with

width as materialized (

    select
        case
            when $bin_seconds > 0 then $bin_seconds
            when lk_epoch($until) - lk_epoch($since) < 150000000000 then 30
            else cast((lk_epoch($until) - lk_epoch($since)) / 5e9 as integer)
        end as bin_width,
        -- What is usual for a call is told by the middle of a few parts of the window.
        greatest(cast((lk_epoch($until) - lk_epoch($since)) / 15e6 as bigint), 1) as part_width,
        least((lk_epoch($until) - lk_epoch($since)) / 30e6, 5e3) as bin_count

),

calls as materialized (

    select
        service,
        method,
        endpoint,
        correlation_id,
        status_code,
        lk_hash((service, method, endpoint)) as series_hash,
        case
            when instance is not null or version is not null then lk_hash((instance, version))
        end as run_hash,
        lk_time(greatest(lk_started_us(timestamp, duration_ms), 0e0)) as begun_at,
        case
            when status_code = 429 or lk_is_error(status_code, level) then null
            else greatest(duration_ms, 1e-2)
        end as good_ms,
        case when lk_is_error(status_code, level) then 1 else 0 end as is_error,
        case when lk_is_answer(event) then 1 else 0 end as is_answer

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and lk_is_request(status_code, duration_ms, endpoint, command)

),

parts as (

    select
        series_hash,
        count(*) as calls,
        lk_percentile(good_ms, 9e-1) as upper_end

    from calls

    cross join width

    group by series_hash, lk_bucket(part_width, begun_at)

),

limits as (

    select
        series_hash,
        2 * lk_percentile(upper_end, 5e-1) as slow_ms,
        -- Bins of rare calls are up to four times as wide: three calls tell as much in one bin.
        case
            when $bin_seconds > 0 then 1
            else greatest(least(cast(ceil(3 * max(bin_count) / sum(calls)) as integer), 4), 1)
        end as widening

    from parts

    cross join width

    group by series_hash

),

call_bins as materialized (

    select
        'calls' as series,
        series_hash,
        service,
        method,
        endpoint,
        null as queue,
        lk_bucket(bin_width * widening, begun_at) as bin_at,
        min(begun_at) as first_at,
        cast(sum(case when status_code = 429 then 0 else 1 end) as bigint) as answered,
        cast(sum(is_error) as bigint) as errors,
        cast(sum(is_answer) as bigint) as answers,
        count(good_ms) as samples,
        cast(sum(case when good_ms > slow_ms then 1 else 0 end) as bigint) as slow,
        avg(ln(good_ms)) as log_mean,
        lk_percentile(good_ms, 5e-1) as centre,
        lk_percentile(good_ms, 95e-2) as upper_end,
        lk_arg_max(correlation_id, (good_ms, correlation_id)) as slow_id,
        max(case when is_error = 1 then correlation_id end) as failed_id

    from calls

    inner join limits using (series_hash)

    cross join width

    group by series_hash, service, method, endpoint, lk_bucket(bin_width * widening, begun_at)

),

figures as (

    select
        'queue_depth' as series,
        timestamp,
        service,
        queue,
        queue_depth as figure
    from events
    where
        timestamp >= $since
        and timestamp < $until
        and queue_depth is not null

    union all

    select
        'cpu_percent' as series,
        timestamp,
        service,
        null as queue,
        cpu_percent as figure
    from events
    where
        timestamp >= $since
        and timestamp < $until
        and cpu_percent is not null

    union all

    select
        'open_connections' as series,
        timestamp,
        service,
        null as queue,
        open_connections as figure
    from events
    where
        timestamp >= $since
        and timestamp < $until
        and open_connections is not null

),

figure_bins as (

    select
        series,
        lk_hash((service, queue)) as series_hash,
        service,
        null as method,
        null as endpoint,
        queue,
        lk_bucket(bin_width, timestamp) as bin_at,
        min(timestamp) as first_at,
        0 as answered,
        0 as errors,
        0 as answers,
        count(*) as samples,
        0 as slow,
        avg(ln(1 + greatest(figure, 0))) as log_mean,
        lk_percentile(figure, 5e-1) as centre,
        lk_percentile(figure, 95e-2) as upper_end,
        null as slow_id,
        null as failed_id

    from figures

    cross join width

    group by series, service, queue, lk_bucket(bin_width, timestamp)

),

-- The first call of each run of a process.
begun_runs as (

    select
        'starts' as series,
        lk_hash(service) as series_hash,
        service,
        null as method,
        null as endpoint,
        null as queue,
        min(begun_at) as bin_at,
        min(begun_at) as first_at,
        0 as answered,
        0 as errors,
        0 as answers,
        0 as samples,
        0 as slow,
        null as log_mean,
        null as centre,
        null as upper_end,
        null as slow_id,
        null as failed_id

    from calls

    where run_hash is not null

    group by service, run_hash

),

-- Of services that log no calls, lines take their place.
line_bins as (

    select
        'lines' as series,
        lk_hash(service) as series_hash,
        service,
        null as method,
        null as endpoint,
        null as queue,
        lk_bucket(bin_width, timestamp) as bin_at,
        min(timestamp) as first_at,
        count(*) as answered,
        cast(
            sum(case when level in ('error', 'critical') then 1 else 0 end) as bigint
        ) as errors,
        0 as answers,
        0 as samples,
        0 as slow,
        null as log_mean,
        null as centre,
        null as upper_end,
        null as slow_id,
        max(case when level in ('error', 'critical') then correlation_id end) as failed_id

    from events

    cross join width

    where
        timestamp >= $since
        and timestamp < $until
        and level is not null
        and lk_hash(service) not in (select lk_hash(service) from call_bins)

    group by service, lk_bucket(bin_width, timestamp)

),

bins as (

    select * from call_bins

    union all

    select * from figure_bins

    union all

    select * from begun_runs

    union all

    select * from line_bins

)

select
    series,
    service,
    method,
    endpoint,
    queue,
    bin_at,
    first_at,
    answered,
    errors,
    answers,
    samples,
    slow,
    log_mean,
    centre,
    upper_end,
    slow_id,
    failed_id

from bins

order by series, series_hash, bin_at
