-- What was sent to be merged into a dataset and is in no version yet: a version may take many requests.
CREATE TABLE IF NOT EXISTS dataset_uploads /*ON CLUSTER*/
(
    UploadId  String CODEC(ZSTD(1)),
    RecordId  String CODEC(ZSTD(1)),
    -- The order in which it was sent, nanoseconds since 1970 and a number within it.
    Number    UInt64 CODEC(ZSTD(1)),
    -- JSON: a record, and what was said of its trace.
    Given     String CODEC(ZSTD(1)),
    Written   DateTime DEFAULT now() CODEC(ZSTD(1))
)
ENGINE = /*Replicated*/ReplacingMergeTree
ORDER BY (UploadId, RecordId, Number)
TTL Written + INTERVAL 2 DAY
SETTINGS
    index_granularity = 1024,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
