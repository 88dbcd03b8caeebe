-- A row a span: column names and types of the OpenTelemetry Collector's clickhouseexporter, so that what
-- reads its tables reads this one, and so that it can write this one itself. What is added is computed from
-- those columns: reading one key of a map that also holds prompts would cost the whole map.
--
-- Sorted by time: the newest spans and any time range are a range of the primary key, and a trace's spans lie
-- together. Granules are small in bytes (prompts are long), so that a look-up decompresses little.
CREATE TABLE IF NOT EXISTS otel_traces /*ON CLUSTER*/
(
    Timestamp          DateTime64(9) CODEC(Delta, ZSTD(1)),
    TraceId            String CODEC(ZSTD(1)),
    SpanId             String CODEC(ZSTD(1)),
    ParentSpanId       String CODEC(ZSTD(1)),
    TraceState         String CODEC(ZSTD(1)),
    SpanName           LowCardinality(String) CODEC(ZSTD(1)),
    SpanKind           LowCardinality(String) CODEC(ZSTD(1)),
    ServiceName        LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeName          String CODEC(ZSTD(1)),
    ScopeVersion       String CODEC(ZSTD(1)),
    SpanAttributes     Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    Duration           UInt64 CODEC(ZSTD(1)),
    StatusCode         LowCardinality(String) CODEC(ZSTD(1)),
    StatusMessage      String CODEC(ZSTD(1)),
    Events Nested
    (
        Timestamp  DateTime64(9),
        Name       LowCardinality(String),
        Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1)),
    Links Nested
    (
        TraceId    String,
        SpanId     String,
        TraceState String,
        Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1)),

    -- GenAI semantic conventions; where they renamed an attribute, the older name is read too.
    GenAiOperation LowCardinality(String) MATERIALIZED SpanAttributes['gen_ai.operation.name'] CODEC(ZSTD(1)),
    GenAiProvider LowCardinality(String) MATERIALIZED coalesce(
        nullIf(SpanAttributes['gen_ai.provider.name'], ''), SpanAttributes['gen_ai.system']) CODEC(ZSTD(1)),
    GenAiRequestModel LowCardinality(String) MATERIALIZED SpanAttributes['gen_ai.request.model'] CODEC(ZSTD(1)),
    GenAiResponseModel LowCardinality(String) MATERIALIZED SpanAttributes['gen_ai.response.model'] CODEC(ZSTD(1)),
    GenAiInputTokens UInt64 MATERIALIZED toUInt64OrZero(coalesce(
        nullIf(SpanAttributes['gen_ai.usage.input_tokens'], ''), SpanAttributes['gen_ai.usage.prompt_tokens'])) CODEC(ZSTD(1)),
    GenAiOutputTokens UInt64 MATERIALIZED toUInt64OrZero(coalesce(
        nullIf(SpanAttributes['gen_ai.usage.output_tokens'], ''), SpanAttributes['gen_ai.usage.completion_tokens'])) CODEC(ZSTD(1)),
    GenAiCachedInputTokens UInt64 MATERIALIZED toUInt64OrZero(SpanAttributes['gen_ai.usage.cache_read.input_tokens']) CODEC(ZSTD(1)),
    GenAiCacheWriteInputTokens UInt64 MATERIALIZED toUInt64OrZero(SpanAttributes['gen_ai.usage.cache_write.input_tokens']) CODEC(ZSTD(1)),
    GenAiReasoningTokens UInt64 MATERIALIZED toUInt64OrZero(SpanAttributes['gen_ai.usage.reasoning.output_tokens']) CODEC(ZSTD(1)),
    ConversationId String MATERIALIZED coalesce(
        nullIf(SpanAttributes['gen_ai.conversation.id'], ''), SpanAttributes['session.id']) CODEC(ZSTD(1)),
    UserId String MATERIALIZED coalesce(
        nullIf(SpanAttributes['user.id'], ''), SpanAttributes['enduser.id']) CODEC(ZSTD(1)),
    ErrorType LowCardinality(String) MATERIALIZED SpanAttributes['error.type'] CODEC(ZSTD(1)),

    -- One filter for four granules: fewer to look at, and what is read for nothing is the id column alone.
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.0001) GRANULARITY 4,
    INDEX idx_conversation_id ConversationId TYPE bloom_filter(0.0001) GRANULARITY 4,
    INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_span_attr_key mapKeys(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_span_attr_value mapValues(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_duration Duration TYPE minmax GRANULARITY 1
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY toDate(Timestamp)
ORDER BY (Timestamp, TraceId)
SETTINGS
    index_granularity_bytes = 1048576,
    -- A look-up decompresses a block of every column for each granule it hits: blocks of 64 KB held sixteen.
    min_compress_block_size = 16384,
    -- What a segment makes is one file, not one for each column and index: fewer buffers, fewer syncs.
    min_bytes_for_wide_part = 104857600,
    merge_selector_base = 10,
    ttl_only_drop_parts = 1,
    -- The window in which a segment sent twice is stored once.
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800,
    -- A segment of the write-ahead log is deleted once its rows are on disk, not before.
    fsync_after_insert = 1,
    fsync_part_directory = 1;
