-- The ledger: a row for everything that was ever said of a trace, a span or a session. Rows are only added. The same
-- event delivered twice has the same key and becomes one row.
--
-- A row is one of three things. A statement makes an assessment. A correction (Correction) replaces what an assessment
-- says: value, error, rationale, metadata, and the name where it gives one. A retraction (Deleted) takes it back.
--
-- An assessment is known by its trace and its id: whoever may write about one trace cannot touch another's.
CREATE TABLE IF NOT EXISTS feedback_events /*ON CLUSTER*/
(
    Timestamp         DateTime64(9) CODEC(Delta, ZSTD(1)),
    ReceivedAt        DateTime64(3) DEFAULT now64(3) CODEC(Delta, ZSTD(1)),
    TraceId           String CODEC(ZSTD(1)),
    AssessmentId      String CODEC(ZSTD(1)),
    -- The event's nanoseconds, then a hash of what it says: of any two events, whenever they arrive, the same is later.
    Version           UInt128 CODEC(ZSTD(1)),
    Correction        UInt8 CODEC(ZSTD(1)),
    Deleted           UInt8 CODEC(ZSTD(1)),
    SpanId            String CODEC(ZSTD(1)),
    SessionId         String CODEC(ZSTD(1)),
    Kind              LowCardinality(String) CODEC(ZSTD(1)),
    Name              LowCardinality(String) CODEC(ZSTD(1)),
    -- JSON text; null where there is an error in its place.
    Value             String CODEC(ZSTD(1)),
    NumericValue      Nullable(Float64) CODEC(ZSTD(1)),
    Rationale         String CODEC(ZSTD(1)),
    -- Of a correction or a retraction: who made it.
    SourceType        LowCardinality(String) CODEC(ZSTD(1)),
    SourceId          String CODEC(ZSTD(1)),
    Metadata          Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    Error             String CODEC(ZSTD(1)),
    ErrorCode         LowCardinality(String) CODEC(ZSTD(1)),
    Overrides         String CODEC(ZSTD(1)),
    LabelingSessionId String CODEC(ZSTD(1)),
    EvaluationRunId   String CODEC(ZSTD(1)),
    ResponseId        String CODEC(ZSTD(1)),
    ServiceName       LowCardinality(String) CODEC(ZSTD(1))
)
ENGINE = /*Replicated*/ReplacingMergeTree
ORDER BY (TraceId, AssessmentId, Version)
SETTINGS
    -- A look-up by trace reads a granule of each part.
    index_granularity = 1024,
    min_bytes_for_wide_part = 104857600,
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
