-- A dataset: records to evaluate with, in numbered versions that never change.
CREATE TABLE IF NOT EXISTS datasets /*ON CLUSTER*/
(
    DatasetId   String CODEC(ZSTD(1)),
    Name        String CODEC(ZSTD(1)),
    Description String CODEC(ZSTD(1)),
    Tags        Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    CreatedAt   DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    ChangedBy   String CODEC(ZSTD(1)),
    Deleted     UInt8 CODEC(ZSTD(1)),
    Written     UInt64 CODEC(ZSTD(1))
)
ENGINE = /*Replicated*/ReplacingMergeTree(Written)
ORDER BY DatasetId
SETTINGS
    index_granularity = 1024,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
