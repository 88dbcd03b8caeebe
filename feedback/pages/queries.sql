-- name: tree_of_trace
-- What the tree of a trace shows of its spans, as one row of parallel arrays in the order in which they began: no map is
-- read, and no row is made for a span. Found by its id within the stretch of time in which it lies; the stretch is open
-- where a clock was before 1970 or after 2106, which it cannot tell.
WITH
    (
        SELECT (toInt64(toUnixTimestamp(min(Start))), toInt64(toUnixTimestamp(max(End))))
        FROM otel_traces_trace_id_ts
        WHERE TraceId = {trace_id:String}
    ) AS stretch
SELECT
    groupArray(SpanId) AS SpanIds,
    groupArray(ParentSpanId) AS ParentSpanIds,
    groupArray(toString(SpanName)) AS Names,
    groupArray(toString(ServiceName)) AS Services,
    groupArray(toString(Operation)) AS Operations,
    groupArray(Began) AS Starts,
    groupArray(Took) AS Durations,
    groupArray(StatusCode = 'Error') AS Failures,
    groupArray(ModelCall) AS ModelCalls,
    groupArray(InputTokens) AS InputTokenCounts,
    groupArray(OutputTokens) AS OutputTokenCounts,
    -- An array of Nullable leaves out what is NULL unless it is in a tuple.
    groupArray(tuple(CostUsd)).1 AS Costs,
    anyIf(ConversationId, ConversationId != '') AS SessionId,
    anyIf(UserId, UserId != '') AS User
FROM
(
    SELECT
        SpanId,
        ParentSpanId,
        SpanName,
        ServiceName,
        Operation,
        toUnixTimestamp64Nano(Timestamp) AS Began,
        toUInt64(round(DurationMs * 1000000)) AS Took,
        StatusCode,
        ModelCall,
        InputTokens,
        OutputTokens,
        CostUsd,
        ConversationId,
        UserId
    FROM genai_spans
    WHERE TraceId = {trace_id:String}
        AND (
            stretch.1 = 0 OR stretch.2 = 4294967295
            OR (
                Timestamp >= fromUnixTimestamp64Nano(stretch.1 * 1000000000)
                AND Timestamp < fromUnixTimestamp64Nano((stretch.2 + 1) * 1000000000)
            )
        )
    ORDER BY Timestamp, SpanId
    LIMIT {limit:UInt32}
);

-- name: types_of_spans
-- The types that spans without an operation of the conventions say they have, in hansei's attribute or in others'. It
-- reads the map of attributes, so it is asked of a stretch of time alone.
SELECT SpanId, any(Said) AS Type
FROM
(
    SELECT
        SpanId,
        coalesce(
            nullIf(SpanAttributes['hansei.span.type'], ''),
            nullIf(SpanAttributes['openinference.span.kind'], ''),
            SpanAttributes['traceloop.span.kind']) AS Said
    FROM otel_traces
    WHERE TraceId = {trace_id:String}
        AND GenAiOperation = ''
        AND Timestamp >= fromUnixTimestamp64Nano({from:Int64}) AND Timestamp <= fromUnixTimestamp64Nano({to:Int64})
)
WHERE Said != ''
GROUP BY SpanId;

-- name: span_of_trace
-- All of one span; where spans share an id, the one after so many others.
WITH
    (
        SELECT (toInt64(toUnixTimestamp(min(Start))), toInt64(toUnixTimestamp(max(End))))
        FROM otel_traces_trace_id_ts
        WHERE TraceId = {trace_id:String}
    ) AS stretch
SELECT
/*columns*/,
    TraceState,
    ScopeName,
    ScopeVersion,
    GenAiModelCall AS ModelCall,
    GenAiProvider AS Provider,
    GenAiRequestModel AS RequestModel,
    GenAiResponseModel AS ResponseModel,
    GenAiTotalInputTokens AS InputTokens,
    GenAiTotalOutputTokens AS OutputTokens,
    GenAiCachedInputTokens AS CachedInputTokens,
    GenAiCacheWriteInputTokens AS CacheWriteInputTokens,
    GenAiReasoningTokens AS ReasoningTokens
FROM otel_traces
WHERE TraceId = {trace_id:String} AND SpanId = {span_id:String}
    AND (
        stretch.1 = 0 OR stretch.2 = 4294967295
        OR (
            Timestamp >= fromUnixTimestamp64Nano(stretch.1 * 1000000000)
            AND Timestamp < fromUnixTimestamp64Nano((stretch.2 + 1) * 1000000000)
        )
    )
ORDER BY Timestamp, SpanId
LIMIT 1 OFFSET {others:UInt32};

-- name: cost_of_span
-- What a model call cost; it is found by its moment. Priced apart from the span, since the page knows it from the tree.
SELECT CostUsd
FROM genai_calls
WHERE Timestamp = fromUnixTimestamp64Nano({began:Int64}) AND TraceId = {trace_id:String} AND SpanId = {span_id:String}
LIMIT 1;

-- name: content_events_of_span
-- What a span's content says where it is recorded as an event beside the span, not on it.
SELECT LogAttributes
FROM otel_logs
WHERE TraceId = {trace_id:String} AND SpanId = {span_id:String}
    AND EventName = 'gen_ai.client.inference.operation.details'
    AND toStartOfFiveMinutes(Timestamp) >= toStartOfFiveMinutes(fromUnixTimestamp64Nano({from:Int64}))
    AND toStartOfFiveMinutes(Timestamp) <= toStartOfFiveMinutes(fromUnixTimestamp64Nano({to:Int64}))
LIMIT 1;

-- name: spans_with_text
-- The spans of a trace in whose attributes, events or status a text is written.
SELECT DISTINCT SpanId
FROM otel_traces
WHERE TraceId = {trace_id:String}
    AND Timestamp >= fromUnixTimestamp64Nano({from:Int64}) AND Timestamp <= fromUnixTimestamp64Nano({to:Int64})
    AND (
        arrayExists(value -> positionCaseInsensitiveUTF8(value, {text:String}) > 0, mapValues(SpanAttributes))
        OR positionCaseInsensitiveUTF8(StatusMessage, {text:String}) > 0
        OR arrayExists(
            said -> arrayExists(value -> positionCaseInsensitiveUTF8(value, {text:String}) > 0, mapValues(said)),
            Events.Attributes)
    )
LIMIT 10000;

-- name: time_of_trace
-- The seconds between which the spans of a trace begin; both are 0 where none has come.
SELECT toInt64(toUnixTimestamp(min(Start))) AS First, toInt64(toUnixTimestamp(max(End))) AS Last
FROM otel_traces_trace_id_ts
WHERE TraceId = {trace_id:String};

-- name: history_of_assessment
-- All that was said in one assessment, in order.
SELECT
    toUnixTimestamp64Nano(Timestamp) AS At,
    Event,
    Kind,
    Name,
    Value,
    Rationale,
    SourceType,
    SourceId,
    Error,
    Overrides
FROM feedback_history
WHERE TraceId = {trace_id:String} AND AssessmentId = {assessment_id:String};

-- name: events_since
-- How many statements, corrections and retractions of an assessment that are not older than a moment can be read: the
-- tables that feedback reads are filled after the ledger, so the ledger would tell too early.
SELECT count() AS Events
FROM
(
    SELECT Timestamp FROM feedback_state WHERE TraceId = {trace_id:String} AND AssessmentId = {assessment_id:String}
    UNION ALL
    SELECT Timestamp FROM feedback_changes WHERE TraceId = {trace_id:String} AND AssessmentId = {assessment_id:String}
)
WHERE Timestamp >= fromUnixTimestamp64Nano({since:Int64});

-- name: names_of_assessments
-- The names that assessments have, the most used first.
SELECT Name
FROM feedback_state
WHERE Name != ''
GROUP BY Name
ORDER BY count() DESC, Name
LIMIT 100;
