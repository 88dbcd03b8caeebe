-- A record of a dataset as it is from a version on. In version 7 there is, of each record, the row with the largest Version
-- up to 7, unless that is Deleted. A row counts where dataset_versions has its Version and MergeId: a merge that broke off,
-- or lost to one that was faster, leaves rows that count nowhere.
CREATE TABLE IF NOT EXISTS dataset_records /*ON CLUSTER*/
(
    DatasetId    String CODEC(ZSTD(1)),
    -- Made of the inputs, so that the same inputs merged again are the same record.
    RecordId     String CODEC(ZSTD(1)),
    Version      UInt32 CODEC(ZSTD(1)),
    MergeId      String CODEC(ZSTD(1)),
    -- JSON texts; null where there is none.
    Inputs       String CODEC(ZSTD(1)),
    Outputs      String CODEC(ZSTD(1)),
    Expectations String CODEC(ZSTD(1)),
    Tags         Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    -- Where it came from: the trace, the span and the conversation that gave its outputs.
    TraceId      String CODEC(ZSTD(1)),
    SpanId       String CODEC(ZSTD(1)),
    SessionId    String CODEC(ZSTD(1)),
    -- Parallel: where each expectation came from that people gave.
    Labels Nested
    (
        Expectation        String,
        -- How it was chosen where several people said something: adjudicated, only, unanimous, majority, newest.
        Rule               String,
        -- The trace that it was said of, and all who say it.
        TraceId            String,
        AssessmentIds      Array(String),
        SourceIds          Array(String),
        LabelingSessionId  String,
        LabelSchemaVersion String
    ) CODEC(ZSTD(1)),
    -- A file's name, where it came from one.
    File         String CODEC(ZSTD(1)),
    -- A hash of all of these but File: what differs between two versions is found by it.
    Digest       String CODEC(ZSTD(1)),
    -- The order of the records: when it was first merged, nanoseconds since 1970, and a number within it.
    Position     UInt64 CODEC(ZSTD(1)),
    Deleted      UInt8 CODEC(ZSTD(1)),
    ChangedBy    String CODEC(ZSTD(1)),
    Written      UInt64 CODEC(ZSTD(1))
)
ENGINE = /*Replicated*/ReplacingMergeTree(Written)
ORDER BY (DatasetId, RecordId, Version, MergeId)
SETTINGS
    index_granularity = 1024,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
