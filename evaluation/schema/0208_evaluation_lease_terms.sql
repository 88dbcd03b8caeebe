-- How long the holder of a term has it: extended while it works, ended when it is done.
CREATE TABLE IF NOT EXISTS evaluation_lease_terms /*ON CLUSTER*/
(
    Name    String CODEC(ZSTD(1)),
    Term    UInt64 CODEC(ZSTD(1)),
    Until   DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    Written UInt64 CODEC(ZSTD(1))
)
ENGINE = /*Replicated*/ReplacingMergeTree(Written)
ORDER BY (Name, Term)
TTL toDateTime(Until) + INTERVAL 90 DAY
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1;
