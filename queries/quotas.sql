-- @title    Budgets of calls and tokens
-- @question Which budget of a provider is used up, how much is left, and when is it back?
-- @method   What the newest answer about each budget says, up to the end of the window, so that
--           --until asks for any past moment. Past its reset a budget is whole. A refusal (429, or
--           kind rate_limited, quota_exhausted or banned) holds until its wait is over, or until a
--           later call to the same model succeeds; a quota used up without a wait has to be paid
--           for. Overloaded servers are no budget.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive: the moment that is asked about
-- @column   service  logical name of the bot or worker
-- @column   provider  LLM provider, else the platform
-- @column   model  model of the calls
-- @column   bucket  the provider's name of the budget
-- @column   unit  what is counted: requests, tokens, input_tokens ...
-- @column   state  exhausted: nothing is left; denied: a refusal holds; low: less than a tenth is
--           left; ok; unknown: neither what is left nor a refusal that holds
-- @column   limit_size  size of the budget, in unit
-- @column   remaining  left at the end of the window, in unit; NULL if never told
-- @column   remaining_ratio  remaining / limit_size
-- @column   back_at  when calls are taken again; NULL if they are now, or if nobody said when
-- @column   told_at  when the newest answer told what is left
-- @column   denials  refusals in the window
-- @column   last_denied_at  the last of them
-- @column   last_kind  its kind: rate_limited, quota_exhausted or banned
-- @sample   incident
with

-- Keys stand for names that may be NULL: a join cannot match those. An absurd wait is one of 95
-- years, so that its end is a time.
calls as materialized (

    select
        timestamp,
        source_id,
        source_offset,
        status_code,
        rate_limit_limit,
        rate_limit_remaining,
        case
            when rate_limit_reset_after_ms > 3e12 then 3e12
            else rate_limit_reset_after_ms
        end as reset_after_ms,
        case when retry_after_ms > 3e12 then 3e12 else retry_after_ms end as wait_ms,
        lk_epoch(timestamp) as at_us,
        lk_started_us(timestamp, duration_ms) as begun_us,
        coalesce('=' || service, '') as service_key,
        coalesce('=' || coalesce(provider, platform), '') as provider_key,
        coalesce('=' || model, '') as model_key,
        coalesce('=' || rate_limit_bucket, '') as bucket_key,
        coalesce('=' || rate_limit_unit, '') as unit_key,
        coalesce(rate_limit_kind, case when status_code = 429 then 'rate_limited' end) as kind

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and (
            status_code is not null
            or rate_limit_kind is not null
            or rate_limit_remaining is not null
        )

),

successes as (

    select
        service_key,
        provider_key,
        model_key,
        max(begun_us) as success_begun_us

    from calls

    where status_code < 400

    group by service_key, provider_key, model_key

),

budgets as materialized (

    select
        service_key,
        provider_key,
        model_key,
        bucket_key,
        unit_key,
        max(case when rate_limit_remaining is not null then timestamp end) as told_at,
        max(
            case when kind in ('rate_limited', 'quota_exhausted', 'banned') then timestamp end
        ) as denied_at,
        sum(
            case when kind in ('rate_limited', 'quota_exhausted', 'banned') then 1 else 0 end
        ) as denial_count

    from calls

    where
        rate_limit_remaining is not null
        or kind in ('rate_limited', 'quota_exhausted', 'banned')

    group by service_key, provider_key, model_key, bucket_key, unit_key

),

told as (

    select
        service_key,
        provider_key,
        model_key,
        bucket_key,
        unit_key,
        lk_arg_max(rate_limit_remaining, (source_id, source_offset)) as told_remaining,
        lk_arg_max(coalesce(rate_limit_limit, -1), (source_id, source_offset)) as told_limit,
        lk_arg_max(
            coalesce(at_us + reset_after_ms * 1e3, -1), (source_id, source_offset)
        ) as whole_us

    from calls

    inner join budgets using (service_key, provider_key, model_key, bucket_key, unit_key)

    where
        timestamp = told_at
        and rate_limit_remaining is not null

    group by service_key, provider_key, model_key, bucket_key, unit_key

),

-- Of refusals at one instant the longest wait counts, and the kind that is first in the alphabet.
denied as (

    select
        service_key,
        provider_key,
        model_key,
        bucket_key,
        unit_key,
        min(kind) as denied_kind,
        max(at_us) as denied_us,
        max(
            at_us
            + coalesce(
                wait_ms,
                case when rate_limit_remaining <= 0 then reset_after_ms end
            )
            * 1e3
        ) as wait_until_us

    from calls

    inner join budgets using (service_key, provider_key, model_key, bucket_key, unit_key)

    where
        timestamp = denied_at
        and kind in ('rate_limited', 'quota_exhausted', 'banned')

    group by service_key, provider_key, model_key, bucket_key, unit_key

),

known as (

    select
        service_key,
        provider_key,
        model_key,
        bucket_key,
        unit_key,
        told_at,
        denied_at,
        denial_count,
        denied_kind,
        wait_until_us,
        nullif(told_limit, -1) as limit_size,
        coalesce(whole_us, -1) > 0 and whole_us <= lk_epoch($until) as is_whole,
        case when whole_us > lk_epoch($until) then whole_us end as resets_us,
        told_remaining,
        denied_us is not null
        and coalesce(wait_until_us > lk_epoch($until), true)
        and coalesce(success_begun_us <= denied_us, true) as is_denied

    from budgets

    left join told using (service_key, provider_key, model_key, bucket_key, unit_key)

    left join denied using (service_key, provider_key, model_key, bucket_key, unit_key)

    left join successes using (service_key, provider_key, model_key)

),

left_over as (

    select
        *,
        case when is_whole then limit_size else told_remaining end as remaining

    from known

),

judged as (

    select
        *,
        case
            when is_denied and denied_kind = 'quota_exhausted' then 1
            when remaining <= 0 then 1
            when is_denied then 2
            when remaining < limit_size / 10 then 3
            when remaining is not null then 4
            else 5
        end as rank

    from left_over

)

select
    case when service_key <> '' then substr(service_key, 2) end as service,
    case when provider_key <> '' then substr(provider_key, 2) end as provider,
    case when model_key <> '' then substr(model_key, 2) end as model,
    case when bucket_key <> '' then substr(bucket_key, 2) end as bucket,
    case when unit_key <> '' then substr(unit_key, 2) end as unit,
    case
        when rank = 1 then 'exhausted'
        when rank = 2 then 'denied'
        when rank = 3 then 'low'
        when rank = 4 then 'ok'
        else 'unknown'
    end as state,
    limit_size,
    remaining,
    remaining / nullif(limit_size, 0) as remaining_ratio,
    lk_time(
        case
            when is_denied and remaining <= 0
                then greatest(
                    coalesce(wait_until_us, resets_us), coalesce(resets_us, wait_until_us)
                )
            when is_denied then wait_until_us
            when remaining <= 0 then resets_us
        end
    ) as back_at,
    told_at,
    cast(denial_count as bigint) as denials,
    denied_at as last_denied_at,
    denied_kind as last_kind

from judged

order by
    rank, told_at desc, denied_at desc,
    service_key, provider_key, model_key, bucket_key, unit_key
