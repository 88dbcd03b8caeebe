-- When each trace began and ended: from a trace id to its range of the primary key of otel_traces.
CREATE TABLE IF NOT EXISTS otel_traces_trace_id_ts /*ON CLUSTER*/
(
    TraceId String CODEC(ZSTD(1)),
    Start   DateTime CODEC(Delta, ZSTD(1)),
    End     DateTime CODEC(Delta, ZSTD(1))
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY toDate(Start)
ORDER BY (TraceId, Start)
SETTINGS
    ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
