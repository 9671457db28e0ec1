-- @title    Latency of LLM calls by model
-- @question How long do people wait for the first token and for the whole answer?
-- @method   A call is a row with a model or any of the token, cost and first-token figures.
--           Percentiles of calls that did not fail, continuous interpolation. Speed is that of the
--           tokens after the first.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @column   service  logical name of the bot or worker
-- @column   provider  LLM provider
-- @column   model  model that answered
-- @column   calls  calls
-- @column   failed_calls  those that failed
-- @column   rate_limited  those with status 429
-- @column   timed_calls  answers with a duration
-- @column   p50_ms  half of the answers took at most this, milliseconds
-- @column   p95_ms  95 of 100 took at most this, milliseconds
-- @column   p99_ms  99 of 100 took at most this, milliseconds
-- @column   ttft_calls  answers with a time to first token
-- @column   ttft_p50_ms  half of the first tokens came within this, milliseconds
-- @column   ttft_p95_ms  95 of 100 came within this, milliseconds
-- @column   median_tokens_per_second  output tokens a second after the first one, median
-- @sample   incident
with

calls as (

    select
        service,
        provider,
        model,
        status_code,
        duration_ms,
        ttft_ms,
        output_tokens,
        lk_is_error(status_code, level) as has_failed,
        lk_is_error(status_code, level) or coalesce(status_code, 0) = 429 as is_refused

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and (
            model is not null
            or input_tokens is not null
            or output_tokens is not null
            or cost_usd is not null
            or ttft_ms is not null
        )

),

answers as (

    select
        service,
        provider,
        model,
        status_code,
        has_failed,
        case when not is_refused then duration_ms end as answer_ms,
        case when not is_refused then ttft_ms end as first_ms,
        case
            when not is_refused and output_tokens > 1 and duration_ms > ttft_ms
                then (output_tokens - 1) * 1e3 / (duration_ms - ttft_ms)
        end as tokens_per_second

    from calls

),

measured as (

    select
        service,
        provider,
        model,
        count(*) as calls,
        cast(sum(case when has_failed then 1 else 0 end) as bigint) as failed_calls,
        cast(sum(case when status_code = 429 then 1 else 0 end) as bigint) as rate_limited,
        count(answer_ms) as timed_calls,
        lk_percentile(answer_ms, 5e-1) as p50_ms,
        lk_percentile(answer_ms, 95e-2) as p95_ms,
        lk_percentile(answer_ms, 99e-2) as p99_ms,
        count(first_ms) as ttft_calls,
        lk_percentile(first_ms, 5e-1) as ttft_p50_ms,
        lk_percentile(first_ms, 95e-2) as ttft_p95_ms,
        lk_percentile(tokens_per_second, 5e-1) as median_tokens_per_second

    from answers

    group by service, provider, model

)

select
    service,
    provider,
    model,
    calls,
    failed_calls,
    rate_limited,
    timed_calls,
    p50_ms,
    p95_ms,
    p99_ms,
    ttft_calls,
    ttft_p50_ms,
    ttft_p95_ms,
    median_tokens_per_second

from measured

order by calls desc, service, provider, model
