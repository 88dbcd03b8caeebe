-- A run: an evaluation of some data, or a batch over stored traces or conversations. What it scored is in the ledger, as
-- assessments with this EvaluationRunId.
CREATE TABLE IF NOT EXISTS evaluation_runs /*ON CLUSTER*/
(
    RunId          String CODEC(ZSTD(1)),
    Name           String CODEC(ZSTD(1)),
    -- evaluate: over data that was given. batch: over what was stored, by a configuration.
    Kind           LowCardinality(String) CODEC(ZSTD(1)),
    -- running, finished, failed, or stopped: by its budget or by hand.
    Status         LowCardinality(String) CODEC(ZSTD(1)),
    StartedAt      DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    EndedAt        Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    -- JSON: the scorers with their versions and models, and whatever else makes the run what it is.
    Config         String CODEC(ZSTD(1)),
    -- JSON: numbers by name, such as correctness/mean; and an interval each: {"correctness/mean": [low, high]}.
    Metrics        String CODEC(ZSTD(1)),
    Intervals      String CODEC(ZSTD(1)),
    -- JSON: how many subjects were seen, selected, scored, failed, skipped, and why.
    Funnel         String CODEC(ZSTD(1)),
    -- What was evaluated, where it was one of these.
    DatasetId      String CODEC(ZSTD(1)),
    DatasetVersion UInt32 CODEC(ZSTD(1)),
    LabelingSessionId String CODEC(ZSTD(1)),
    -- The batch that it is a run of, and the time that it covers.
    Batch          LowCardinality(String) CODEC(ZSTD(1)),
    WindowStart    Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    WindowEnd      Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    -- Why it failed or was stopped.
    Message        String CODEC(ZSTD(1)),
    Tags           Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ChangedBy      String CODEC(ZSTD(1)),
    Deleted        UInt8 CODEC(ZSTD(1)),
    Written        UInt64 CODEC(ZSTD(1))
)
ENGINE = /*Replicated*/ReplacingMergeTree(Written)
ORDER BY RunId
SETTINGS
    index_granularity = 1024,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
