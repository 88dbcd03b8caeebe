-- A batch that is run again and again: how far it has come, and when it runs next.
CREATE TABLE IF NOT EXISTS evaluation_batches /*ON CLUSTER*/
(
    Name      String CODEC(ZSTD(1)),
    -- JSON: the configuration as it was last run, without secrets. A shard is a batch of its own: nightly#1/4.
    Config    String CODEC(ZSTD(1)),
    -- Five fields of cron; empty where it is run by hand.
    Schedule  String CODEC(ZSTD(1)),
    -- All subjects that ended before this have been seen; nanoseconds since 1970, 0 before the first run.
    Watermark UInt64 CODEC(ZSTD(1)),
    -- Subjects that ended before this have no failed score that is tried again; nanoseconds since 1970, at most Watermark.
    RetryFrom UInt64 CODEC(ZSTD(1)),
    NextRunAt Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    LastRunId String CODEC(ZSTD(1)),
    -- Of the last run.
    Status    LowCardinality(String) CODEC(ZSTD(1)),
    ChangedBy String CODEC(ZSTD(1)),
    Deleted   UInt8 CODEC(ZSTD(1)),
    Written   UInt64 CODEC(ZSTD(1))
)
ENGINE = /*Replicated*/ReplacingMergeTree(Written)
ORDER BY Name
SETTINGS
    index_granularity = 1024,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
