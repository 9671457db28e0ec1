-- @title    Tokens and cost by model and command
-- @question Which model and which feature use up the tokens and the money?
-- @method   A call is a row with a model or any of the token, cost and first-token figures.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @column   service  logical name of the bot or worker
-- @column   provider  LLM provider
-- @column   model  model that answered
-- @column   command  feature that asked
-- @column   calls  calls
-- @column   failed_calls  those that failed or met a 429
-- @column   cut_answers  those whose finish_reason is length or max_tokens
-- @column   input_tokens  tokens of the prompts
-- @column   output_tokens  tokens of the answers
-- @column   priced_calls  calls with a cost
-- @column   cost_usd  cost of the priced calls, US dollars; NULL without one
-- @column   cost_usd_per_call  cost / priced calls, US dollars
-- @sample   incident
with

calls as (

    select
        service,
        provider,
        model,
        command,
        input_tokens,
        output_tokens,
        cost_usd,
        case when status_code = 429 or lk_is_error(status_code, level) then 1 else 0 end as failed,
        case when lower(finish_reason) in ('length', 'max_tokens') then 1 else 0 end as was_cut

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

counted as (

    select
        service,
        provider,
        model,
        command,
        count(*) as calls,
        cast(sum(failed) as bigint) as failed_calls,
        cast(sum(was_cut) as bigint) as cut_answers,
        coalesce(sum(input_tokens), 0) as all_input_tokens,
        coalesce(sum(output_tokens), 0) as all_output_tokens,
        count(cost_usd) as priced_calls,
        sum(cost_usd) as all_cost_usd

    from calls

    group by service, provider, model, command

)

select
    service,
    provider,
    model,
    command,
    calls,
    failed_calls,
    cut_answers,
    all_input_tokens as input_tokens,
    all_output_tokens as output_tokens,
    priced_calls,
    all_cost_usd as cost_usd,
    all_cost_usd / nullif(priced_calls, 0) as cost_usd_per_call

from counted

order by
    all_cost_usd desc nulls last,
    all_input_tokens + all_output_tokens desc,
    service,
    provider,
    model,
    command
