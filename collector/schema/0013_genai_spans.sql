-- A row a span, with what GenAI spans say under short names; genai_calls and genai_sessions are made of it. It
-- has every span: tools, agents and retrieval beside the model calls.
--
-- CostUsd is NULL where it is not known: no tokens were reported (most failed calls, streams without usage), the
-- model has no price, or the span is no model call.
--
-- The price list is read once a query, as a constant, and looked up by hash. A join would do, but it would be
-- executed also by queries that do not ask for the cost, and costs twice as much for those that do. The cost is
-- multiplied by 1 or NULL because if() evaluates its branches row by row where it can, here five times slower. The
-- price is bound to p because a name stands for its expression, which would be planned once for each use of it.
CREATE VIEW IF NOT EXISTS genai_spans /*ON CLUSTER*/ AS
WITH
    (SELECT (groupArray(sipHash64(Provider, Model)), groupArray(Prices)) FROM model_prices FINAL) AS book,
    book.2[transform(sipHash64(GenAiProvider, GenAiModel), book.1, arrayEnumerate(book.1), 0)] AS prices,
    greatest(toUnixTimestamp64Second(Timestamp), 0) AS at,
    greatest(toInt64(GenAiTotalInputTokens) - 1, 0) AS above,
    arrayLast(p -> toUnixTimestamp(p.Start) <= at AND p.DayStart <= at % 86400 AND p.InputTokensAbove <= above, prices) AS price,
    arrayMap(
        p -> (
            (GenAiTotalInputTokens - GenAiCachedInputTokens - GenAiCacheWriteInputTokens) * p.Input
            + GenAiCachedInputTokens * p.CachedInput
            + GenAiCacheWriteInputTokens * p.CacheWrite
            + (GenAiTotalOutputTokens - GenAiReasoningTokens) * p.Output
            + GenAiReasoningTokens * p.Reasoning
        ) / 1000000 + p.Request,
        [price])[1] AS cost
SELECT
    Timestamp,
    TraceId,
    SpanId,
    ParentSpanId,
    SpanName,
    ServiceName,
    GenAiModelCall AS ModelCall,
    GenAiOperation AS Operation,
    GenAiProvider AS Provider,
    GenAiRequestModel AS RequestModel,
    GenAiResponseModel AS ResponseModel,
    GenAiModel AS Model,
    GenAiTotalInputTokens AS InputTokens,
    GenAiTotalOutputTokens AS OutputTokens,
    GenAiCachedInputTokens AS CachedInputTokens,
    GenAiCacheWriteInputTokens AS CacheWriteInputTokens,
    GenAiReasoningTokens AS ReasoningTokens,
    cost * if(ModelCall AND notEmpty(prices) AND (InputTokens > 0 OR OutputTokens > 0), 1, NULL) AS CostUsd,
    Duration / 1000000 AS DurationMs,
    JSONExtract(SpanAttributes['gen_ai.response.finish_reasons'], 'Array(String)') AS FinishReasons,
    ConversationId,
    UserId,
    StatusCode,
    StatusMessage,
    ErrorType,
    SpanAttributes['gen_ai.input.messages'] AS InputMessages,
    SpanAttributes['gen_ai.output.messages'] AS OutputMessages
FROM otel_traces;
