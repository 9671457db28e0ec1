-- @title    Depth of each queue
-- @question Does a queue back up, since when, and how far is it from full?
-- @method   Any row with a queue_depth or a queue_wait_ms is a sample.
-- @param    since timestamptz  start of the window, inclusive
-- @param    until timestamptz  end of the window, exclusive
-- @param    bucket_seconds integer = 60  width of one row
-- @column   bucket_at  start of the bucket
-- @column   service  logical name of the bot or worker
-- @column   queue  name of the queue
-- @column   samples  rows with a depth or a wait
-- @column   mean_depth  mean of the depths, items
-- @column   max_depth  greatest depth, items
-- @column   queue_limit  items that the queue can hold; NULL if unknown
-- @column   p95_wait_ms  95 of 100 items waited at most this, milliseconds
-- @plot     max_depth
-- @sample   incident
with

samples as (

    select
        service,
        queue,
        queue_depth,
        queue_limit,
        queue_wait_ms,
        lk_bucket($bucket_seconds, timestamp) as bucket_at

    from events

    where
        timestamp >= $since
        and timestamp < $until
        and (
            queue_depth is not null
            or queue_wait_ms is not null
        )

),

summarized as (

    select
        bucket_at,
        service,
        queue,
        count(*) as sample_count,
        avg(queue_depth) as mean_depth,
        max(queue_depth) as max_depth,
        max(queue_limit) as most_queue_limit,
        lk_percentile(queue_wait_ms, 95e-2) as p95_wait_ms

    from samples

    group by bucket_at, service, queue

)

select
    bucket_at,
    service,
    queue,
    sample_count as samples,
    mean_depth,
    max_depth,
    most_queue_limit as queue_limit,
    p95_wait_ms

from summarized

order by bucket_at, service, queue
