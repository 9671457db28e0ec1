-- The lk_* macros for DuckDB. The same names exist on ClickHouse, so that one query text runs on
-- both engines. No parameters ($name) in here: macros are stored in the database.

-- True, or the end of the query: `message` says what a parameter has to be.
create or replace macro lk_check(ok, message) as
    case when ok then true else error('lk_check: ' || message) end;

-- Start of the bucket of `seconds` that holds `ts`, counted from 1970-01-01 00:00 UTC.
create or replace macro lk_bucket(seconds, ts) as
    time_bucket(to_seconds(seconds), ts, timestamptz '1970-01-01 00:00:00+00');

-- Microseconds since 1970-01-01 00:00 UTC, as a BIGINT.
create or replace macro lk_epoch(ts) as epoch_us(ts);

-- One key of the catch-all `fields` as text, NULL where it is absent. Any key: a JSON pointer, in
-- which ~ and / are escaped.
create or replace macro lk_field(fields, key) as
    json_extract_string(fields, '/' || replace(replace(key, '~', '~0'), '/', '~1'));

-- The instant that lies `us` microseconds after 1970-01-01 00:00 UTC.
create or replace macro lk_time(us) as make_timestamptz(us::bigint);

-- That instant as text: RFC 3339 in UTC with milliseconds.
create or replace macro lk_rfc3339(us) as
    strftime(make_timestamp(us::bigint), '%Y-%m-%dT%H:%M:%S.%gZ');

-- Start of a call in microseconds since 1970 (DOUBLE): a line is written when its call ends, and
-- no call ends before it begins.
create or replace macro lk_started_us(ts, duration_ms) as
    epoch_us(ts) - greatest(coalesce(duration_ms, 0), 0) * 1e3;

-- A request is a row with a status, or with a duration and an endpoint or a command.
create or replace macro lk_is_request(status_code, duration_ms, endpoint, command) as
    status_code is not null
    or (duration_ms is not null and (endpoint is not null or command is not null));

-- A request failed at status 400 and above, 429 apart, or without a status at level error.
create or replace macro lk_is_error(status_code, level) as
    case
        when status_code is not null then status_code >= 400 and status_code <> 429
        else coalesce(level in ('error', 'critical'), false)
    end;

-- A request that others made to us: how access logs are read, and what servers call it themselves.
create or replace macro lk_is_answer(event) as coalesce(
    event in ('request_handled', 'request_complete', 'request_completed', 'request_finished'), false
);

-- Percentile `q` (0 to 1) of `x`, interpolated between the neighbours; NULLs do not count.
create or replace macro lk_percentile(x, q) as quantile_cont(x, q);

-- Value of `x` in the row with the greatest or the smallest `y`.
create or replace macro lk_arg_max(x, y) as arg_max(x, y);
create or replace macro lk_arg_min(x, y) as arg_min(x, y);

-- Least-squares line of `y` over `x`: units of y for one unit of x, and the share of the variance
-- that it explains.
create or replace macro lk_slope(y, x) as regr_slope(y, x);
create or replace macro lk_r2(y, x) as regr_r2(y, x);

-- Number of the block of 64 whole numbers that holds `x`, and how many different numbers of one
-- block the values of `x` are; those are not negative.
create or replace macro lk_block64(x) as x // 64;
create or replace macro lk_count64(x) as coalesce(bit_count(bit_or(1::ubigint << (x % 64))), 0);

-- One number that stands for all the values of a tuple.
create or replace macro lk_hash(x) as hash(x);

-- First group of the regular expression `pattern` in `text`, NULL where it does not match.
create or replace macro lk_extract(text, pattern) as nullif(regexp_extract(text, pattern, 1), '');

-- The text with a star for each value in it: times, quoted text and addresses, then ids and numbers.
create or replace macro lk_shape(text) as regexp_replace(
    regexp_replace(
        text,
        '[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.,]*[0-9](?:Z|[+-][0-9:]+)?'
        || '|\B''[^'']*''\B|"[^"]*"|`[^`]*`|[a-z]+://[^ ,;)]+|[^ (<]+@[^ ,;)>]+',
        '*',
        'g'
    ),
    '\b0x[0-9a-fA-F]+'
    || '|\b[0-9a-fA-F]*[0-9][0-9a-fA-F]*(?:[-.:_][0-9a-fA-F]*[0-9][0-9a-fA-F]*)*'
    || '|[0-9]+(?:[-.:_][0-9]+)*',
    '*',
    'g'
);

-- What secret a text holds, NULL if it holds none that is known by its shape.
create or replace macro lk_secret_kind(text) as case
    when not regexp_matches(
        text,
        '[MNO][A-Za-z0-9_-]{23,27}[.][A-Za-z0-9_-]{6}[.]|[0-9]{8,10}:[A-Za-z0-9_-]{35}|xox[abeoprs]-'
        || '|sk-[A-Za-z0-9_-]{20}|gh[opsru]_[A-Za-z0-9]{36}|AKIA[0-9A-Z]{16}|eyJ[A-Za-z0-9_-]+[.]eyJ'
        || '|[Bb]earer [A-Za-z0-9._~+/-]{20}|://[^/ :@]+:[^/ :@*]+@|-----BEGIN [A-Z ]*PRIVATE KEY'
    ) then null
    when regexp_matches(text, '[MNO][A-Za-z0-9_-]{23,27}[.][A-Za-z0-9_-]{6}[.]') then 'discord_token'
    when regexp_matches(text, '[0-9]{8,10}:[A-Za-z0-9_-]{35}') then 'telegram_token'
    when regexp_matches(text, 'xox[abeoprs]-') then 'slack_token'
    when regexp_matches(text, 'sk-[A-Za-z0-9_-]{20}') then 'api_key'
    when regexp_matches(text, 'gh[opsru]_[A-Za-z0-9]{36}') then 'github_token'
    when regexp_matches(text, 'AKIA[0-9A-Z]{16}') then 'aws_key'
    when regexp_matches(text, '://[^/ :@]+:[^/ :@*]+@') then 'password_in_url'
    when regexp_matches(text, 'PRIVATE KEY') then 'private_key'
    else 'bearer_token'
end;
