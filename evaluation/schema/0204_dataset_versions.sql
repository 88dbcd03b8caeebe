-- A version of a dataset, written once all of its records are there: one that is not here was never finished.
CREATE TABLE IF NOT EXISTS dataset_versions /*ON CLUSTER*/
(
    DatasetId String CODEC(ZSTD(1)),
    Version   UInt32 CODEC(ZSTD(1)),
    -- Records in it, and how many of them are new, changed or gone since the version before.
    Records   UInt32 CODEC(ZSTD(1)),
    Added     UInt32 CODEC(ZSTD(1)),
    Changed   UInt32 CODEC(ZSTD(1)),
    Removed   UInt32 CODEC(ZSTD(1)),
    -- Under which id its rows were written. Those of a merge that is in no version are in no dataset.
    MergeId   String CODEC(ZSTD(1)),
    -- What was merged: traces, a labeling session, a file.
    Note      String CODEC(ZSTD(1)),
    CreatedAt DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    ChangedBy String CODEC(ZSTD(1)),
    Written   UInt64 CODEC(ZSTD(1))
)
ENGINE = /*Replicated*/ReplacingMergeTree(Written)
ORDER BY (DatasetId, Version)
SETTINGS
    index_granularity = 1024,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
