-- Model calls by five minutes, service and model: the roll-up with its cost. It answers for months in
-- milliseconds. CostUsd is the sum of the costs that are known, NULL where none is; UnpricedCalls counts the calls
-- that succeeded and whose cost is not known.
--
-- What each model cost yesterday:
--     SELECT Model, sum(Calls) AS Calls, sum(CostUsd) AS CostUsd FROM genai_usage
--     WHERE toDate(Start) = yesterday() GROUP BY Model ORDER BY CostUsd DESC
-- P50Ms, P95Ms and P99Ms are those of a row. The quantiles of several rows cannot be averaged; the sketches in the
-- table (nanoseconds) can be merged. The p95 of each model yesterday, in milliseconds:
--     SELECT Model, quantileDDMerge(0.01, 0.95)(DurationSketch) / 1e6 AS P95Ms FROM genai_usage_5m
--     WHERE toDate(Start) = yesterday() GROUP BY Model
CREATE VIEW IF NOT EXISTS genai_usage /*ON CLUSTER*/ AS
WITH
    -- As in genai_spans.
    (SELECT (groupArray(sipHash64(Provider, Model)), groupArray(Prices)) FROM model_prices FINAL) AS book,
    book.2[transform(sipHash64(usage.Provider, usage.Model), book.1, arrayEnumerate(book.1), 0)] AS prices,
    toUnixTimestamp(usage.Start) AS at,
    usage.InputTokensAbove AS above,
    arrayLast(p -> toUnixTimestamp(p.Start) <= at AND p.DayStart <= at % 86400 AND p.InputTokensAbove <= above, prices) AS price,
    arrayMap(
        p -> (
            (usage.InputTokens - usage.CachedInputTokens - usage.CacheWriteInputTokens) * p.Input
            + usage.CachedInputTokens * p.CachedInput
            + usage.CacheWriteInputTokens * p.CacheWrite
            + (usage.OutputTokens - usage.ReasoningTokens) * p.Output
            + usage.ReasoningTokens * p.Reasoning
        ) / 1000000 + usage.Calls * p.Request,
        [price])[1] AS cost,
    notEmpty(prices) AND usage.InputTokensAbove >= 0 AS priced
SELECT
    Start,
    ServiceName,
    Operation,
    Provider,
    RequestModel,
    ResponseModel,
    Model,
    sum(usage.Calls) AS Calls,
    sum(usage.Errors) AS Errors,
    sum(usage.InputTokens) AS InputTokens,
    sum(usage.OutputTokens) AS OutputTokens,
    sum(usage.CachedInputTokens) AS CachedInputTokens,
    sum(usage.CacheWriteInputTokens) AS CacheWriteInputTokens,
    sum(usage.ReasoningTokens) AS ReasoningTokens,
    sum(cost * if(priced, 1, NULL)) AS CostUsd,
    sum(if(priced, 0, usage.Calls - usage.Errors)) AS UnpricedCalls,
    sum(usage.DurationSum) / 1000000 AS DurationMsSum,
    max(usage.DurationMax) / 1000000 AS DurationMsMax,
    quantileDDMerge(0.01, 0.5)(usage.DurationSketch) / 1000000 AS P50Ms,
    quantileDDMerge(0.01, 0.95)(usage.DurationSketch) / 1000000 AS P95Ms,
    quantileDDMerge(0.01, 0.99)(usage.DurationSketch) / 1000000 AS P99Ms
FROM genai_usage_5m AS usage
GROUP BY Start, ServiceName, Operation, Provider, RequestModel, ResponseModel, Model;
