-- What models answered, by the whole request: asked the same again, a judge that remembers need not pay again.
CREATE TABLE IF NOT EXISTS judge_responses /*ON CLUSTER*/
(
    -- SHA-256 of the request: address, model, parameters, messages, schema of the answer.
    RequestHash  String CODEC(ZSTD(1)),
    Model        LowCardinality(String) CODEC(ZSTD(1)),
    -- JSON: what was answered, as it came.
    Response     String CODEC(ZSTD(1)),
    InputTokens  UInt32 CODEC(ZSTD(1)),
    OutputTokens UInt32 CODEC(ZSTD(1)),
    CostUsd      Nullable(Float64) CODEC(ZSTD(1)),
    Written      UInt64 CODEC(ZSTD(1)),
    AskedAt      DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(ZSTD(1))
)
ENGINE = /*Replicated*/ReplacingMergeTree(Written)
ORDER BY RequestHash
TTL toDateTime(AskedAt) + INTERVAL 90 DAY
SETTINGS
    index_granularity = 1024;
