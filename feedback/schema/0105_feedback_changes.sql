-- The last correction or retraction of each assessment that has one; few have.
CREATE TABLE IF NOT EXISTS feedback_changes /*ON CLUSTER*/
(
    TraceId      String CODEC(ZSTD(1)),
    AssessmentId String CODEC(ZSTD(1)),
    Version      UInt128 CODEC(ZSTD(1)),
    Timestamp    DateTime64(9) CODEC(Delta, ZSTD(1)),
    Deleted      UInt8 CODEC(ZSTD(1)),
    Name         LowCardinality(String) CODEC(ZSTD(1)),
    Value        String CODEC(ZSTD(1)),
    NumericValue Nullable(Float64) CODEC(ZSTD(1)),
    Rationale    String CODEC(ZSTD(1)),
    Metadata     Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    Error        String CODEC(ZSTD(1)),
    ErrorCode    LowCardinality(String) CODEC(ZSTD(1))
)
ENGINE = /*Replicated*/ReplacingMergeTree(Version)
ORDER BY (TraceId, AssessmentId)
SETTINGS
    index_granularity = 1024,
    min_bytes_for_wide_part = 104857600,
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
