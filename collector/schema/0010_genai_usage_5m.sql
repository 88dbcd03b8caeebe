-- The roll-up: model calls by five minutes, service and model, small enough to be kept when the spans are gone.
-- genai_usage is the view to read it with.
--
-- InputTokensAbove is part of the key because a request is paid at the price of its size: within one price tier
-- cost is linear in tokens, so a sum of tokens can still be priced. It is the highest price threshold that the
-- call's input exceeded, 0 below all of them, -1 where a call reported no tokens at all and has no known cost.
CREATE TABLE IF NOT EXISTS genai_usage_5m /*ON CLUSTER*/
(
    Start            DateTime CODEC(Delta, ZSTD(1)),
    ServiceName      LowCardinality(String) CODEC(ZSTD(1)),
    Operation        LowCardinality(String) CODEC(ZSTD(1)),
    Provider         LowCardinality(String) CODEC(ZSTD(1)),
    RequestModel     LowCardinality(String) CODEC(ZSTD(1)),
    ResponseModel    LowCardinality(String) CODEC(ZSTD(1)),
    InputTokensAbove Int32 CODEC(ZSTD(1)),
    -- The name that decides the price, as in otel_traces.
    Model            LowCardinality(String) ALIAS if(ResponseModel != '', ResponseModel, RequestModel),

    Calls            SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
    Errors           SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
    InputTokens      SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
    OutputTokens     SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
    CachedInputTokens     SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
    CacheWriteInputTokens SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
    ReasoningTokens  SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),

    -- Nanoseconds. A DDSketch merges without loss and is within 1 % of the true duration at any quantile; of the
    -- mergeable states it is the smallest (half a t-digest) and costs as little to make as a count.
    DurationSum      SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
    DurationMax      SimpleAggregateFunction(max, UInt64) CODEC(ZSTD(1)),
    DurationSketch   AggregateFunction(quantilesDD(0.01, 0.5, 0.9, 0.95, 0.99), UInt64) CODEC(ZSTD(1))
)
ENGINE = /*Replicated*/AggregatingMergeTree
PARTITION BY toYYYYMM(Start)
ORDER BY (Start, ServiceName, Operation, Provider, RequestModel, ResponseModel, InputTokensAbove)
SETTINGS
    ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
