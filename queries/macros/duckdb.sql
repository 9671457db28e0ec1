-- The lk_* macros for DuckDB. The same names exist on ClickHouse, so that one query text runs on
-- both engines. No parameters ($name) in here: macros are stored in the database.

-- Start of the bucket of `seconds` that holds `ts`, counted from 1970-01-01 00:00 UTC.
create or replace macro lk_bucket(seconds, ts) as
    time_bucket(to_seconds(seconds), ts, timestamptz '1970-01-01 00:00:00+00');

-- Microseconds since 1970-01-01 00:00 UTC, as a BIGINT.
create or replace macro lk_epoch(ts) as epoch_us(ts);

-- One key of the catch-all `fields` as text, NULL where it is absent.
create or replace macro lk_field(fields, key) as json_extract_string(fields, '$."' || key || '"');
