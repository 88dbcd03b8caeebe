-- Who works on a session, and the link of each. Of the link only a hash is kept.
CREATE TABLE IF NOT EXISTS labeling_reviewers /*ON CLUSTER*/
(
    SessionId String CODEC(ZSTD(1)),
    -- An address or a name: the source id of the labels.
    Reviewer  String CODEC(ZSTD(1)),
    -- reviewer or arbiter.
    Role      LowCardinality(String) CODEC(ZSTD(1)),
    LinkHash  String CODEC(ZSTD(1)),
    ExpiresAt DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    Deleted   UInt8 CODEC(ZSTD(1)),
    ChangedBy String CODEC(ZSTD(1)),
    Written   UInt64 CODEC(ZSTD(1)),

    INDEX idx_link_hash LinkHash TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = /*Replicated*/ReplacingMergeTree(Written)
ORDER BY (SessionId, Reviewer)
SETTINGS
    index_granularity = 1024,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
