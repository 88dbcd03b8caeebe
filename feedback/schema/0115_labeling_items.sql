-- What is looked at in a session: a trace, a span of one, or a conversation. An item's id is made of what it is, so that
-- one that is added twice is one item.
CREATE TABLE IF NOT EXISTS labeling_items /*ON CLUSTER*/
(
    SessionId      String CODEC(ZSTD(1)),
    ItemId         String CODEC(ZSTD(1)),
    -- trace, span or session.
    Kind           LowCardinality(String) CODEC(ZSTD(1)),
    TraceId        String CODEC(ZSTD(1)),
    SpanId         String CODEC(ZSTD(1)),
    ConversationId String CODEC(ZSTD(1)),
    -- Why it was chosen: by hand, or by which rule.
    Reason         String CODEC(ZSTD(1)),
    -- The order of the items, nanoseconds since 1970 of the first addition and a number within it.
    Position       UInt64 CODEC(ZSTD(1)),
    Deleted        UInt8 CODEC(ZSTD(1)),
    Written        UInt64 CODEC(ZSTD(1)),

    INDEX idx_written Written TYPE minmax GRANULARITY 1,
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = /*Replicated*/ReplacingMergeTree(Written)
ORDER BY (SessionId, ItemId)
SETTINGS
    index_granularity = 1024,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
