-- A question that experts answer: a row a version. A version is never changed, so that every label can name the question
-- that it answered; Deleted hides all versions of a name until a newer one is made.
CREATE TABLE IF NOT EXISTS label_schemas /*ON CLUSTER*/
(
    Name          String CODEC(ZSTD(1)),
    Version       UInt32 CODEC(ZSTD(1)),
    -- feedback or expectation.
    Type          LowCardinality(String) CODEC(ZSTD(1)),
    -- JSON: which input, and its limits.
    Input         String CODEC(ZSTD(1)),
    Title         String CODEC(ZSTD(1)),
    Instruction   String CODEC(ZSTD(1)),
    EnableComment Bool CODEC(ZSTD(1)),
    Deleted       UInt8 CODEC(ZSTD(1)),
    ChangedBy     String CODEC(ZSTD(1)),
    -- Nanoseconds since 1970; of two rows of a version the later one counts.
    Written       UInt64 CODEC(ZSTD(1))
)
ENGINE = /*Replicated*/ReplacingMergeTree(Written)
ORDER BY (Name, Version)
SETTINGS
    index_granularity = 1024,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
