-- @title    Capacity for growth
-- @question What happens at 10 times the users: which load grows how far, and what gives out?
-- @detector capacity
-- @method   Each load by how many different users (guilds, chats) there were in the same bin, a
--           Theil-Sen line through the bins, followed to growth times the busiest bins (95 of 100
--           bins have fewer users). low and high hold 9 of 10 bins of that size: the doubt about
--           the slope, neighbouring bins being alike, and the spread of the bins. Where the users
--           hardly vary, low is the load of today and high is growth times that. Assumed and
--           written beside each row: a straight line far outside of what was seen, the habits of
--           today's users, and as many processes as today.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @param    growth double = 10  how many times as many
-- @param    per varchar = 'users'  what grows: users, guilds or chats
-- @param    bucket_seconds integer = 600  width of a bin
-- @column   service  logical name of the bot or worker
-- @column   resource  requests_per_minute, requests_in_flight, tokens_per_minute and
--           cost_usd_per_hour of the service; cpu_percent, rss_bytes and open_connections of one
--           process; quota_used_ratio of an LLM provider's budget
-- @column   part  which budget: provider, model and unit; else NULL
-- @column   bins  bins with this load
-- @column   active  users (guilds, chats) in the busiest bins
-- @column   load  load in them by the line
-- @column   load_per_active  what each more of them adds
-- @column   projected_active  active times growth
-- @column   projected_load  load with so many
-- @column   projected_low  9 of 10 bins with so many lie above this and below projected_high
-- @column   projected_high  upper end of it
-- @column   limit_load  what there is; NULL if unknown
-- @column   verdict  fits, uncertain or exceeds at projected_low to projected_high; NULL without a
--           limit
-- @column   limit_at_active  with so many projected_high meets the limit; NULL if never or unknown
-- @column   assumptions  what the projection rests on, in words
-- @sample   incident
with

windowed as materialized (

    select
        service,
        provider,
        model,
        rate_limit_unit,
        rate_limit_bucket,
        rate_limit_limit,
        rate_limit_remaining,
        duration_ms,
        cpu_percent,
        rss_bytes,
        rss_limit_bytes,
        open_connections,
        cost_usd,
        coalesce(cast(input_tokens as double), 0)
        + coalesce(cast(output_tokens as double), 0) as tokens,
        input_tokens is not null or output_tokens is not null as has_tokens,
        lk_bucket($bucket_seconds, timestamp) as bucket_at,
        lk_is_request(status_code, duration_ms, endpoint, command) as is_request,
        case
            when $per = 'users' then user_id
            when $per = 'guilds' then guild_id
            when $per = 'chats' then chat_id
        end as who

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and lk_check($growth > 0, 'growth must be greater than 0')
        and lk_check($per in ('users', 'guilds', 'chats'), 'per is one of users, guilds and chats')

),

counted as materialized (

    select
        bucket_at,
        count(distinct who) as active

    from windowed

    group by bucket_at

),

binned as materialized (

    select
        service,
        bucket_at,
        sum(case when is_request then 1 else 0 end) * 6e1 / $bucket_seconds as requests_per_minute,
        sum(case when is_request then greatest(coalesce(duration_ms, 0), 0) else 0 end)
        / 1e3
        / $bucket_seconds as requests_in_flight,
        sum(case when has_tokens then 1 else 0 end) as token_rows,
        sum(tokens) * 6e1 / $bucket_seconds as tokens_per_minute,
        count(cost_usd) as cost_rows,
        sum(cost_usd) * 36e2 / $bucket_seconds as cost_usd_per_hour,
        avg(cpu_percent) as mean_cpu_percent,
        avg(rss_bytes) as mean_rss_bytes,
        min(rss_limit_bytes) as least_rss_limit_bytes,
        avg(open_connections) as mean_open_connections

    from windowed

    group by service, bucket_at

),

quotas as (

    select
        service,
        bucket_at,
        concat_ws(' ', provider, model, rate_limit_bucket, rate_limit_unit) as part,
        max(1 - rate_limit_remaining / nullif(rate_limit_limit, 0)) as used_ratio

    from windowed

    where
        provider is not null
        and rate_limit_limit > 0
        and rate_limit_remaining is not null

    group by
        service,
        bucket_at,
        concat_ws(' ', provider, model, rate_limit_bucket, rate_limit_unit)

),

loads as (

    select
        service,
        'requests_per_minute' as resource,
        null as part,
        bucket_at,
        requests_per_minute as load,
        null as limit_load
    from binned

    union all

    select
        service,
        'requests_in_flight' as resource,
        null as part,
        bucket_at,
        requests_in_flight as load,
        null as limit_load
    from binned

    union all

    select
        service,
        'tokens_per_minute' as resource,
        null as part,
        bucket_at,
        tokens_per_minute as load,
        null as limit_load
    from binned
    where token_rows > 0

    union all

    select
        service,
        'cost_usd_per_hour' as resource,
        null as part,
        bucket_at,
        cost_usd_per_hour as load,
        null as limit_load
    from binned
    where cost_rows > 0

    union all

    select
        service,
        'cpu_percent' as resource,
        null as part,
        bucket_at,
        mean_cpu_percent as load,
        1e2 as limit_load
    from binned
    where mean_cpu_percent is not null

    union all

    select
        service,
        'rss_bytes' as resource,
        null as part,
        bucket_at,
        mean_rss_bytes as load,
        least_rss_limit_bytes as limit_load
    from binned
    where mean_rss_bytes is not null

    union all

    select
        service,
        'open_connections' as resource,
        null as part,
        bucket_at,
        mean_open_connections as load,
        null as limit_load
    from binned
    where mean_open_connections is not null

    union all

    select
        service,
        'quota_used_ratio' as resource,
        part,
        bucket_at,
        used_ratio as load,
        1e0 as limit_load
    from quotas

)

select
    service,
    resource,
    part,
    bucket_at,
    active,
    load,
    limit_load,
    $growth as asked_growth,
    $per as asked_per

from loads

inner join counted using (bucket_at)

order by service, resource, part, bucket_at
