-- A row a model call. Cached and written input is part of InputTokens, reasoning is part of OutputTokens; CostUsd
-- is NULL where it is not known (see genai_spans); InputMessages and OutputMessages are JSON text.
--
-- The slowest calls of the last hour, and what they said:
--     SELECT Timestamp, Model, DurationMs, CostUsd, OutputMessages FROM genai_calls
--     WHERE Timestamp > now() - INTERVAL 1 HOUR ORDER BY DurationMs DESC LIMIT 10
-- What yesterday's calls cost, by user:
--     SELECT UserId, count() AS Calls, sum(CostUsd) AS CostUsd FROM genai_calls
--     WHERE toDate(Timestamp) = yesterday() GROUP BY UserId ORDER BY CostUsd DESC
CREATE VIEW IF NOT EXISTS genai_calls /*ON CLUSTER*/ AS
SELECT
    Timestamp,
    TraceId,
    SpanId,
    ParentSpanId,
    ServiceName,
    Operation,
    Provider,
    RequestModel,
    ResponseModel,
    Model,
    InputTokens,
    OutputTokens,
    CachedInputTokens,
    CacheWriteInputTokens,
    ReasoningTokens,
    CostUsd,
    DurationMs,
    FinishReasons,
    ConversationId,
    UserId,
    StatusCode,
    StatusMessage,
    ErrorType,
    InputMessages,
    OutputMessages
FROM genai_spans
WHERE ModelCall;
