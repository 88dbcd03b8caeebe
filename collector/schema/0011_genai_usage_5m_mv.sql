-- Fills the roll-up from every insert into otel_traces, whoever makes it.
CREATE MATERIALIZED VIEW IF NOT EXISTS genai_usage_5m_mv /*ON CLUSTER*/ TO genai_usage_5m AS
WITH
    -- Every input size at which a price changes. A size that is missing here makes the roll-up's cost approximate
    -- for models that have it: their calls just above it are priced as those just below.
    [0, 32000, 64000, 100000, 128000, 199999, 200000, 256000, 272000, 512000, 524288, 1000000] AS thresholds,
    -- DateTime ends in 2106 and begins in 1970; spans may carry any time.
    least(greatest(toUnixTimestamp64Second(Timestamp), 0), 4294967295) AS seconds
SELECT
    toDateTime(intDiv(seconds, 300) * 300) AS Start,
    ServiceName,
    GenAiOperation AS Operation,
    GenAiProvider AS Provider,
    GenAiRequestModel AS RequestModel,
    GenAiResponseModel AS ResponseModel,
    toInt32(if(
        GenAiTotalInputTokens = 0 AND GenAiTotalOutputTokens = 0,
        -1,
        roundDown(toInt64(GenAiTotalInputTokens) - 1, thresholds))) AS InputTokensAbove,
    count() AS Calls,
    countIf(StatusCode = 'Error') AS Errors,
    sum(GenAiTotalInputTokens) AS InputTokens,
    sum(GenAiTotalOutputTokens) AS OutputTokens,
    sum(GenAiCachedInputTokens) AS CachedInputTokens,
    sum(GenAiCacheWriteInputTokens) AS CacheWriteInputTokens,
    sum(GenAiReasoningTokens) AS ReasoningTokens,
    sum(Duration) AS DurationSum,
    max(Duration) AS DurationMax,
    quantilesDDState(0.01, 0.5, 0.9, 0.95, 0.99)(Duration) AS DurationSketch
FROM otel_traces
WHERE GenAiModelCall
GROUP BY Start, ServiceName, Operation, Provider, RequestModel, ResponseModel, InputTokensAbove;
