-- The roll-up of traces: how many began and failed, by five minutes and service, as their roots say. A trace whose root
-- has not come is not counted.
CREATE TABLE IF NOT EXISTS otel_roots_5m /*ON CLUSTER*/
(
    Start       DateTime CODEC(Delta, ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    Traces      SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
    Errors      SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1))
)
ENGINE = /*Replicated*/AggregatingMergeTree
PARTITION BY toYYYYMM(Start)
ORDER BY (Start, ServiceName)
SETTINGS
    ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
