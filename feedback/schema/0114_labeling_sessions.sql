-- A labeling session: which questions about which items, and how the work is shared out.
CREATE TABLE IF NOT EXISTS labeling_sessions /*ON CLUSTER*/
(
    SessionId String CODEC(ZSTD(1)),
    Name      String CODEC(ZSTD(1)),
    -- What MLflow calls mlflow_run_id.
    RunId     String CODEC(ZSTD(1)),
    -- Parallel: the names of the questions, in their order, and the version of each.
    LabelSchemas Nested
    (
        Name    String,
        Version UInt32
    ) CODEC(ZSTD(1)),
    -- JSON: reviewers an item, what reviewers see of existing feedback, how long leases last, rules that keep filling.
    Settings  String CODEC(ZSTD(1)),
    -- open or closed.
    Status    LowCardinality(String) CODEC(ZSTD(1)),
    CreatedAt DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    Deleted   UInt8 CODEC(ZSTD(1)),
    ChangedBy String CODEC(ZSTD(1)),
    Written   UInt64 CODEC(ZSTD(1))
)
ENGINE = /*Replicated*/ReplacingMergeTree(Written)
ORDER BY SessionId
SETTINGS
    index_granularity = 1024,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
