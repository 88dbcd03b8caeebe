-- The last statement of each assessment. What it speaks of and who says it is settled here; feedback_changes has what
-- has become of it since. They are two tables because whoever corrects or retracts need not have read what was said:
-- a row that replaced another whole would take away its span, its source and what it overrides.
CREATE TABLE IF NOT EXISTS feedback_state /*ON CLUSTER*/
(
    TraceId           String CODEC(ZSTD(1)),
    AssessmentId      String CODEC(ZSTD(1)),
    Version           UInt128 CODEC(ZSTD(1)),
    Timestamp         DateTime64(9) CODEC(Delta, ZSTD(1)),
    SpanId            String CODEC(ZSTD(1)),
    SessionId         String CODEC(ZSTD(1)),
    Kind              LowCardinality(String) CODEC(ZSTD(1)),
    Name              LowCardinality(String) CODEC(ZSTD(1)),
    Value             String CODEC(ZSTD(1)),
    NumericValue      Nullable(Float64) CODEC(ZSTD(1)),
    Rationale         String CODEC(ZSTD(1)),
    SourceType        LowCardinality(String) CODEC(ZSTD(1)),
    SourceId          String CODEC(ZSTD(1)),
    Metadata          Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    Error             String CODEC(ZSTD(1)),
    ErrorCode         LowCardinality(String) CODEC(ZSTD(1)),
    Overrides         String CODEC(ZSTD(1)),
    LabelingSessionId String CODEC(ZSTD(1)),
    EvaluationRunId   String CODEC(ZSTD(1)),
    ResponseId        String CODEC(ZSTD(1)),
    ServiceName       LowCardinality(String) CODEC(ZSTD(1)),

    -- Only one who overrides may leave the name out: where nobody did, feedback finds that without reading.
    INDEX idx_name Name TYPE minmax GRANULARITY 16
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
