-- @title    What differs between two windows
-- @question Which value of which attribute explains that it got worse?
-- @method   Requests by each value of each attribute, after (the window) and before. Durations are
--           those of requests that neither failed nor met a 429, told by the sums of the
--           natural logarithms of their milliseconds. `logkit compare` judges the rows.
-- @param    since timestamptz  start of the window after, inclusive
-- @param    until timestamptz  end of the window after, exclusive
-- @param    before_since timestamptz = null  start of the window before; NULL: one as long as it
-- @param    before_until timestamptz = null  end of the window before; NULL: where the other begins
-- @column   attribute  name of the field; "all" for the whole
-- @column   value  its value
-- @column   before_requests  requests before
-- @column   after_requests  requests after
-- @column   before_errors  failed requests before
-- @column   after_errors  failed requests after
-- @column   before_limited  requests with status 429 before
-- @column   after_limited  requests with status 429 after
-- @column   before_timed  answers with a duration before
-- @column   after_timed  answers with a duration after
-- @column   before_log_sum  sum of their logarithms before
-- @column   after_log_sum  sum of their logarithms after
-- @column   before_square_sum  sum of the squares of the logarithms before
-- @column   after_square_sum  sum of the squares of the logarithms after
-- @column   before_p50_ms  median duration before, milliseconds
-- @column   after_p50_ms  median duration after, milliseconds
-- @sample   incident
with

bounds as materialized (

    select
        coalesce($before_until, $since) as first_until,
        coalesce($before_since, lk_time(lk_epoch($since) * 2 - lk_epoch($until))) as first_since

),

halves as (

    select
        service,
        method,
        endpoint,
        command,
        version,
        instance,
        host,
        platform,
        provider,
        model,
        guild_id,
        shard_id,
        status_code,
        level,
        duration_ms,
        0 as is_after

    from events

    cross join bounds

    where
        timestamp >= first_since
        and timestamp < first_until
        and lk_is_request(status_code, duration_ms, endpoint, command)

    union all

    select
        service,
        method,
        endpoint,
        command,
        version,
        instance,
        host,
        platform,
        provider,
        model,
        guild_id,
        shard_id,
        status_code,
        level,
        duration_ms,
        1 as is_after

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and lk_is_request(status_code, duration_ms, endpoint, command)

),

judged as (

    select
        *,
        lk_is_error(status_code, level) as is_failed,
        coalesce(status_code, 0) = 429 as is_limited

    from halves

),

requests as materialized (

    select
        service,
        method,
        endpoint,
        command,
        version,
        instance,
        host,
        platform,
        provider,
        model,
        guild_id,
        is_after,
        cast(shard_id as varchar) as shard,
        case when is_failed then 1 else 0 end as failed,
        case when is_limited then 1 else 0 end as limited,
        case when duration_ms > 0 and not is_failed and not is_limited then duration_ms end
            as good_ms,
        case
            when duration_ms > 0 and not is_failed and not is_limited
                then cast(ln(duration_ms) * 1e6 as bigint)
        end as log_ms

    from judged

),

valued as (

    select
        'all' as attribute,
        '' as attribute_value,
        is_after,
        failed,
        limited,
        good_ms,
        log_ms
    from requests

    union all

    select
        'service' as attribute,
        service as attribute_value,
        is_after,
        failed,
        limited,
        good_ms,
        log_ms
    from requests
    where service is not null

    union all

    select
        'endpoint' as attribute,
        coalesce(method || ' ', '') || endpoint as attribute_value,
        is_after,
        failed,
        limited,
        good_ms,
        log_ms
    from requests
    where endpoint is not null

    union all

    select
        'command' as attribute,
        command as attribute_value,
        is_after,
        failed,
        limited,
        good_ms,
        log_ms
    from requests
    where command is not null

    union all

    select
        'version' as attribute,
        version as attribute_value,
        is_after,
        failed,
        limited,
        good_ms,
        log_ms
    from requests
    where version is not null

    union all

    select
        'instance' as attribute,
        instance as attribute_value,
        is_after,
        failed,
        limited,
        good_ms,
        log_ms
    from requests
    where instance is not null

    union all

    select
        'host' as attribute,
        host as attribute_value,
        is_after,
        failed,
        limited,
        good_ms,
        log_ms
    from requests
    where host is not null

    union all

    select
        'platform' as attribute,
        platform as attribute_value,
        is_after,
        failed,
        limited,
        good_ms,
        log_ms
    from requests
    where platform is not null

    union all

    select
        'provider' as attribute,
        provider as attribute_value,
        is_after,
        failed,
        limited,
        good_ms,
        log_ms
    from requests
    where provider is not null

    union all

    select
        'model' as attribute,
        model as attribute_value,
        is_after,
        failed,
        limited,
        good_ms,
        log_ms
    from requests
    where model is not null

    union all

    select
        'guild_id' as attribute,
        guild_id as attribute_value,
        is_after,
        failed,
        limited,
        good_ms,
        log_ms
    from requests
    where guild_id is not null

    union all

    select
        'shard_id' as attribute,
        shard as attribute_value,
        is_after,
        failed,
        limited,
        good_ms,
        log_ms
    from requests
    where shard is not null

),

counted as (

    select
        attribute,
        attribute_value,
        is_after,
        count(*) as request_count,
        sum(failed) as error_count,
        sum(limited) as limited_count,
        count(log_ms) as timed_count,
        coalesce(sum(log_ms), 0) / 1e6 as log_sum,
        coalesce(sum(log_ms * log_ms), 0) / 1e12 as square_sum,
        lk_percentile(good_ms, 5e-1) as p50_ms

    from valued

    group by attribute, attribute_value, is_after

)

select
    attribute,
    attribute_value as value,
    cast(sum(case when is_after = 0 then request_count else 0 end) as bigint) as before_requests,
    cast(sum(case when is_after = 1 then request_count else 0 end) as bigint) as after_requests,
    cast(sum(case when is_after = 0 then error_count else 0 end) as bigint) as before_errors,
    cast(sum(case when is_after = 1 then error_count else 0 end) as bigint) as after_errors,
    cast(sum(case when is_after = 0 then limited_count else 0 end) as bigint) as before_limited,
    cast(sum(case when is_after = 1 then limited_count else 0 end) as bigint) as after_limited,
    cast(sum(case when is_after = 0 then timed_count else 0 end) as bigint) as before_timed,
    cast(sum(case when is_after = 1 then timed_count else 0 end) as bigint) as after_timed,
    sum(case when is_after = 0 then log_sum else 0 end) as before_log_sum,
    sum(case when is_after = 1 then log_sum else 0 end) as after_log_sum,
    sum(case when is_after = 0 then square_sum else 0 end) as before_square_sum,
    sum(case when is_after = 1 then square_sum else 0 end) as after_square_sum,
    max(case when is_after = 0 then p50_ms end) as before_p50_ms,
    max(case when is_after = 1 then p50_ms end) as after_p50_ms

from counted

group by attribute, attribute_value

order by attribute, attribute_value
