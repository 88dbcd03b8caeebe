-- A reviewer's work on an item: who has it now, what is drafted, and how it ended. The answers themselves are assessments
-- in the ledger.
CREATE TABLE IF NOT EXISTS labeling_work /*ON CLUSTER*/
(
    SessionId  String CODEC(ZSTD(1)),
    ItemId     String CODEC(ZSTD(1)),
    Reviewer   String CODEC(ZSTD(1)),
    -- leased, done, skipped, or released: given back, by the reviewer or because the lease had run out.
    State      LowCardinality(String) CODEC(ZSTD(1)),
    LeasedAt   DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    LeaseUntil DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    -- JSON: the answers so far, by question.
    Draft      String CODEC(ZSTD(1)),
    -- What the reviewer wants the organiser to know.
    Flag       String CODEC(ZSTD(1)),
    -- Seconds with the item in view, as the page counted them.
    Seconds    Float32 CODEC(ZSTD(1)),
    Written    UInt64 CODEC(ZSTD(1)),

    INDEX idx_written Written TYPE minmax GRANULARITY 1
)
ENGINE = /*Replicated*/ReplacingMergeTree(Written)
ORDER BY (SessionId, ItemId, Reviewer)
SETTINGS
    index_granularity = 1024,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
