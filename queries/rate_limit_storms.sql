-- @title    Storms of rate-limited calls
-- @question When did a provider refuse our calls, and did we go on calling in spite of it?
-- @method   A storm is at least 5 times status 429 of one service and scope without a gap over
--           120 s. It is shown whole, also where it began before the window.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @column   service  logical name of the bot or worker
-- @column   scope  "global", else the bucket of the 429s, else their endpoint
-- @column   endpoint  endpoint of the 429s; NULL if there were several
-- @column   bucket  rate-limit bucket of the 429s; NULL without one or with several
-- @column   started_at  first 429
-- @column   ended_at  last 429
-- @column   hits  429s
-- @column   ignored_retry_after  requests of the scope begun while some 429 still asked to wait
-- @column   retry_amplification  requests of the scope during the storm / first attempts of them
-- @column   delayed_actions  correlation ids among the 429s
-- @column   mean_delay_ms  their mean time from the first 429 to the first later request of the
--           scope that was not refused, or without one to the last 429, milliseconds
-- @column   worst_delay_ms  the longest of these times, milliseconds
-- @sample   incident
with

-- Keys stand for names that may be NULL: NULL is a group of its own, and a join cannot match it.
denials as (

    select
        timestamp,
        service,
        endpoint,
        rate_limit_bucket,
        correlation_id,
        source_id,
        source_offset,
        lk_epoch(timestamp) as at_us,
        lk_epoch(timestamp) + coalesce(retry_after_ms, 0) * 1e3 as waits_until_us,
        coalesce('=' || service, '') as service_key,
        case
            when rate_limit_scope = 'global' then 'global'
            when rate_limit_bucket is not null then 'bucket'
            else 'endpoint'
        end as scope_kind,
        case
            when rate_limit_scope = 'global' then ''
            when rate_limit_bucket is not null then rate_limit_bucket
            else coalesce('=' || endpoint, '')
        end as scope_key

    from events

    where
        timestamp < $until
        and status_code = 429

),

stepped as (

    select
        *,
        at_us - lag(at_us, 1, at_us) over (
            partition by service_key, scope_kind, scope_key
            order by at_us, source_id, source_offset
        ) as gap_us

    from denials

),

numbered as materialized (

    select
        *,
        sum(case when gap_us > 120000000 then 1 else 0 end) over (
            partition by service_key, scope_kind, scope_key
            order by at_us, source_id, source_offset
            rows between unbounded preceding and current row
        ) as run

    from stepped

),

storms as materialized (

    select
        service_key,
        scope_kind,
        scope_key,
        run,
        min(service) as storm_service,
        case
            when count(endpoint) = count(*) and min(endpoint) = max(endpoint) then min(endpoint)
        end as storm_endpoint,
        case
            when
                count(rate_limit_bucket) = count(*)
                and min(rate_limit_bucket) = max(rate_limit_bucket)
                then min(rate_limit_bucket)
        end as storm_bucket,
        min(timestamp) as started_at,
        max(timestamp) as ended_at,
        count(*) as hits,
        min(at_us) as first_us,
        max(at_us) as last_us,
        max(waits_until_us) as waited_until_us

    from numbered

    group by service_key, scope_kind, scope_key, run

    having
        count(*) >= 5
        and max(timestamp) >= $since

),

requests as materialized (

    select
        attempt,
        rate_limit_bucket,
        correlation_id,
        source_id,
        source_offset,
        coalesce(status_code = 429, false) as is_refused,
        lk_epoch(timestamp) as ended_us,
        lk_started_us(timestamp, duration_ms) as begun_us,
        coalesce('=' || service, '') as service_key,
        coalesce('=' || endpoint, '') as endpoint_key

    from events

    where
        timestamp >= (select min(started_at) from storms)
        and timestamp < $until
        and lk_is_request(status_code, duration_ms, endpoint, command)

),

scoped as (

    select
        service_key,
        'global' as scope_kind,
        '' as scope_key,
        attempt,
        source_id,
        source_offset,
        ended_us,
        begun_us

    from requests

    union all

    select
        service_key,
        'bucket' as scope_kind,
        rate_limit_bucket as scope_key,
        attempt,
        source_id,
        source_offset,
        ended_us,
        begun_us

    from requests

    where rate_limit_bucket is not null

    union all

    select
        service_key,
        'endpoint' as scope_kind,
        endpoint_key as scope_key,
        attempt,
        source_id,
        source_offset,
        ended_us,
        begun_us

    from requests

),

bound as materialized (

    select
        service_key,
        scope_kind,
        scope_key,
        run,
        attempt,
        source_id,
        source_offset,
        begun_us,
        ended_us >= first_us and ended_us <= last_us as is_during

    from scoped

    inner join storms using (service_key, scope_kind, scope_key)

    where
        ended_us >= first_us
        and (ended_us <= last_us or begun_us < waited_until_us)

),

amplified as (

    select
        service_key,
        scope_kind,
        scope_key,
        run,
        sum(case when is_during then 1 else 0 end) as requests_during,
        sum(case when is_during and coalesce(attempt, 0) = 0 then 1 else 0 end) as first_attempts

    from bound

    group by service_key, scope_kind, scope_key, run

),

actions as materialized (

    select
        service_key,
        scope_kind,
        scope_key,
        run,
        correlation_id,
        min(at_us) as first_refused_us,
        max(at_us) as last_refused_us

    from numbered

    inner join storms using (service_key, scope_kind, scope_key, run)

    where correlation_id is not null

    group by service_key, scope_kind, scope_key, run, correlation_id

),

acting as (

    select distinct correlation_id

    from actions

),

followers as materialized (

    select
        service_key,
        rate_limit_bucket,
        endpoint_key,
        correlation_id,
        ended_us

    from requests

    inner join acting using (correlation_id)

    where not is_refused

),

followed as (

    select
        service_key,
        'global' as scope_kind,
        '' as scope_key,
        correlation_id,
        ended_us

    from followers

    union all

    select
        service_key,
        'bucket' as scope_kind,
        rate_limit_bucket as scope_key,
        correlation_id,
        ended_us

    from followers

    union all

    select
        service_key,
        'endpoint' as scope_kind,
        endpoint_key as scope_key,
        correlation_id,
        ended_us

    from followers

),

answered as (

    select
        service_key,
        scope_kind,
        scope_key,
        run,
        correlation_id,
        min(ended_us) as answered_us

    from followed

    inner join actions using (service_key, scope_kind, scope_key, correlation_id)

    where ended_us > first_refused_us

    group by service_key, scope_kind, scope_key, run, correlation_id

),

delayed as (

    select
        service_key,
        scope_kind,
        scope_key,
        run,
        count(*) as action_count,
        avg(coalesce(answered_us, last_refused_us) - first_refused_us) / 1e3 as mean_delay_ms,
        max(coalesce(answered_us, last_refused_us) - first_refused_us) / 1e3 as worst_delay_ms

    from actions

    left join answered using (service_key, scope_kind, scope_key, run, correlation_id)

    group by service_key, scope_kind, scope_key, run

),

points as (

    select
        service_key,
        scope_kind,
        scope_key,
        run,
        begun_us as point_us,
        0 as is_wait,
        null as ends_us,
        source_id,
        source_offset

    from bound

    union all

    select
        service_key,
        scope_kind,
        scope_key,
        run,
        at_us as point_us,
        1 as is_wait,
        waits_until_us as ends_us,
        source_id,
        source_offset

    from numbered

),

-- Of the waits that were asked for before a request began, the one that ends last decides. A
-- request sorts before a wait of the same instant: it did not begin after it.
covered as (

    select
        service_key,
        scope_kind,
        scope_key,
        run,
        point_us,
        is_wait,
        max(ends_us) over (
            partition by service_key, scope_kind, scope_key, run
            order by point_us, is_wait, source_id, source_offset
            rows between unbounded preceding and current row
        ) as covered_until_us

    from points

),

ignored as (

    select
        service_key,
        scope_kind,
        scope_key,
        run,
        sum(
            case when is_wait = 0 and point_us < covered_until_us then 1 else 0 end
        ) as ignored_waits

    from covered

    group by service_key, scope_kind, scope_key, run

)

select
    storm_service as service,
    case
        when scope_kind = 'global' then 'global'
        when scope_kind = 'bucket' then scope_key
        else storm_endpoint
    end as scope,
    storm_endpoint as endpoint,
    storm_bucket as bucket,
    started_at,
    ended_at,
    hits,
    cast(ignored_waits as bigint) as ignored_retry_after,
    requests_during / nullif(first_attempts, 0) as retry_amplification,
    coalesce(action_count, 0) as delayed_actions,
    mean_delay_ms,
    worst_delay_ms

from storms

inner join amplified using (service_key, scope_kind, scope_key, run)

inner join ignored using (service_key, scope_kind, scope_key, run)

left join delayed using (service_key, scope_kind, scope_key, run)

order by started_at, service_key, scope_kind, scope_key, run
