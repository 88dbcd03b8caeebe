-- The rows of a run over given data: what went in, what came out, what was expected, and what each scorer said. A batch
-- has none: its subjects are stored already.
CREATE TABLE IF NOT EXISTS evaluation_rows /*ON CLUSTER*/
(
    RunId        String CODEC(ZSTD(1)),
    Position     UInt32 CODEC(ZSTD(1)),
    TraceId      String CODEC(ZSTD(1)),
    SessionId    String CODEC(ZSTD(1)),
    -- The record of a dataset that it is.
    RecordId     String CODEC(ZSTD(1)),
    -- JSON texts; null where there was none.
    Inputs       String CODEC(ZSTD(1)),
    Outputs      String CODEC(ZSTD(1)),
    Expectations String CODEC(ZSTD(1)),
    -- JSON by expectation: the assessment that it was taken from, its source, and how it was chosen among several.
    ExpectedBy   String CODEC(ZSTD(1)),
    Tags         Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    -- Why predict_fn gave no outputs.
    Error        String CODEC(ZSTD(1)),
    DurationMs   Float64 CODEC(ZSTD(1)),
    -- Parallel: what scorers said. Value is JSON text; null where there is an error or nothing to say.
    Scores Nested
    (
        Name         LowCardinality(String),
        Scorer       LowCardinality(String),
        Version      LowCardinality(String),
        Value        String,
        NumericValue Nullable(Float64),
        Rationale    String,
        SourceType   LowCardinality(String),
        SourceId     String,
        Error        String,
        Skipped      String,
        AssessmentId String,
        SpanId       String,
        DurationMs   Float64,
        CostUsd      Nullable(Float64)
    ) CODEC(ZSTD(1)),
    Written      UInt64 CODEC(ZSTD(1))
)
ENGINE = /*Replicated*/ReplacingMergeTree(Written)
ORDER BY (RunId, Position)
SETTINGS
    index_granularity = 1024,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
