-- name: session
-- A conversation's sums.
SELECT
    UserId,
    ServiceName,
    toUnixTimestamp64Nano(Start) AS StartNs,
    toUnixTimestamp64Nano(End) AS EndNs,
    Traces,
    Calls,
    InputTokens,
    OutputTokens,
    CostUsd,
    Errors,
    UnpricedCalls
FROM genai_sessions
WHERE SessionId = {session_id:String};

-- name: traces_of_session
-- A page of a conversation's traces: the oldest first where the sign is 1, the newest first where it is -1.
SELECT TraceId, {sign:Int64} * toUnixTimestamp64Nano(min(Timestamp)) AS Place
FROM otel_traces
WHERE ConversationId = {session_id:String} AND TraceId != ''
GROUP BY TraceId
HAVING (Place, TraceId) > ({after:Int64}, {after_id:String})
ORDER BY Place, TraceId
LIMIT {limit:UInt32};

-- name: spans_of_turns
-- What is shown of some traces: the root, the model calls and the tools, in their order. Every call of a conversation
-- carries all that was said before; of that the last message of the user is read, of a long text that is no list the end.
WITH
    (
        SELECT (toInt64(toUnixTimestamp(min(Start))), toInt64(toUnixTimestamp(max(End))))
        FROM otel_traces_trace_id_ts
        WHERE TraceId IN {trace_ids:Array(String)}
    ) AS stretch,
    'gen_ai.input.messages' AS messages,
    arrayLast(message -> JSONExtractString(message, 'role') = 'user', JSONExtractArrayRaw(SpanAttributes[messages])) AS question
SELECT
    TraceId,
    ParentSpanId = '' AS Root,
    SpanName,
    ServiceName,
    toUnixTimestamp64Nano(Timestamp) AS Began,
    Duration,
    StatusCode,
    StatusMessage,
    GenAiModelCall AS ModelCall,
    GenAiOperation = 'execute_tool' OR SpanAttributes['hansei.span.type'] = 'TOOL' AS Tool,
    mapApply(
        (name, value) -> (name, if(name = messages AND question != '', concat('[', question, ']'),
            if(length(value) > 65536, right(value, 8192), value))),
        mapFilter((name, value) -> name NOT IN ('gen_ai.system_instructions', 'gen_ai.tool.definitions'), SpanAttributes)
    ) AS Attributes
FROM otel_traces
WHERE TraceId IN {trace_ids:Array(String)}
    AND (
        stretch.1 = 0 OR stretch.2 = 4294967295
        OR (
            Timestamp >= fromUnixTimestamp64Nano(stretch.1 * 1000000000)
            AND Timestamp < fromUnixTimestamp64Nano((stretch.2 + 1) * 1000000000)
        )
    )
    AND (Root OR ModelCall OR Tool)
ORDER BY Timestamp, SpanId
LIMIT 200 BY TraceId;

-- name: usage_of_turns
-- What the model calls of some traces used; the cost is NULL where none is known.
WITH
    (
        SELECT (toInt64(toUnixTimestamp(min(Start))), toInt64(toUnixTimestamp(max(End))))
        FROM otel_traces_trace_id_ts
        WHERE TraceId IN {trace_ids:Array(String)}
    ) AS stretch
SELECT
    TraceId,
    count() AS Calls,
    sum(calls.InputTokens + calls.OutputTokens) AS Tokens,
    sum(calls.CostUsd) AS CostUsd
FROM genai_calls AS calls
WHERE TraceId IN {trace_ids:Array(String)}
    AND (
        stretch.1 = 0 OR stretch.2 = 4294967295
        OR (
            Timestamp >= fromUnixTimestamp64Nano(stretch.1 * 1000000000)
            AND Timestamp < fromUnixTimestamp64Nano((stretch.2 + 1) * 1000000000)
        )
    )
GROUP BY TraceId;
