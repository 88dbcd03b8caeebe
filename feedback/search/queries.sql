-- name: find_traces
-- The traces that began in a stretch of time and fulfil a filter, with their first and last moment in nanoseconds.
-- The candidates come from the primary key of otel_traces or from its indexes; what else is read of them is the range
-- of that key in which otel_traces_trace_id_ts says they lie. Timestamp is compared with nanoseconds: compared with the
-- sum of a DateTime and an interval, the engine left out spans of the last second.
WITH
    candidates AS (
/*candidates*/
    ),
    (
        SELECT (toInt64(toUnixTimestamp(min(Start))), toInt64(toUnixTimestamp(max(End))))
        FROM otel_traces_trace_id_ts
        WHERE TraceId IN (SELECT TraceId FROM candidates)
            AND Start >= toDateTime({earliest:UInt32}) AND Start <= toDateTime({latest:UInt32})
    ) AS stretch
SELECT
    TraceId,
    toUnixTimestamp64Nano(min(Timestamp)) AS Began,
    toUnixTimestamp64Nano(max(Timestamp)) AS LastBegan
FROM otel_traces
WHERE Timestamp >= fromUnixTimestamp64Nano(stretch.1 * 1000000000)
    AND Timestamp < fromUnixTimestamp64Nano((stretch.2 + 1) * 1000000000)
    AND TraceId IN (SELECT TraceId FROM candidates)
GROUP BY TraceId
HAVING Began >= {from:Int64} AND Began < {until:Int64} AND (Began, TraceId) < ({before:Int64}, {before_id:String})
/*conditions*/
ORDER BY /*order*/
LIMIT {limit:UInt32};

-- name: time_of_traces
-- The first and the last moment of all spans, from the parts' own records.
SELECT toUnixTimestamp64Nano(min(Timestamp)), toUnixTimestamp64Nano(max(Timestamp)), count() FROM otel_traces;

-- name: spans_of_trace
-- All spans of one trace, found by its id within the stretch of time in which it lies. The stretch is open where a clock
-- was before 1970 or after 2106, which it cannot tell.
WITH
    (
        SELECT (toInt64(toUnixTimestamp(min(Start))), toInt64(toUnixTimestamp(max(End))))
        FROM otel_traces_trace_id_ts
        WHERE TraceId = {trace_id:String}
    ) AS stretch
SELECT
/*columns*/
FROM otel_traces
WHERE TraceId = {trace_id:String}
    AND (
        stretch.1 = 0 OR stretch.2 = 4294967295
        OR (
            Timestamp >= fromUnixTimestamp64Nano(stretch.1 * 1000000000)
            AND Timestamp < fromUnixTimestamp64Nano((stretch.2 + 1) * 1000000000)
        )
    )
ORDER BY Timestamp, SpanId;

-- name: times_of_traces
-- When the first and the last span of each of some traces began. The stretch of time is open as in spans_of_trace.
WITH
    (
        SELECT (toInt64(toUnixTimestamp(min(Start))), toInt64(toUnixTimestamp(max(End))))
        FROM otel_traces_trace_id_ts
        WHERE TraceId IN {trace_ids:Array(String)}
    ) AS stretch
SELECT
    TraceId,
    toUnixTimestamp64Nano(min(Timestamp)) AS Began,
    toUnixTimestamp64Nano(max(Timestamp)) AS LastBegan
FROM otel_traces
WHERE TraceId IN {trace_ids:Array(String)}
    AND (
        stretch.1 = 0 OR stretch.2 = 4294967295
        OR (
            Timestamp >= fromUnixTimestamp64Nano(stretch.1 * 1000000000)
            AND Timestamp < fromUnixTimestamp64Nano((stretch.2 + 1) * 1000000000)
        )
    )
GROUP BY TraceId;

-- name: spans_of_traces
-- All spans of some traces that lie in a stretch of time.
SELECT
/*columns*/
FROM otel_traces
WHERE TraceId IN {trace_ids:Array(String)}
    AND Timestamp >= fromUnixTimestamp64Nano({from:Int64}) AND Timestamp <= fromUnixTimestamp64Nano({to:Int64})
ORDER BY TraceId, Timestamp, SpanId;

-- name: first_spans_of_traces
-- The root of each of some traces, or the earliest span where the root has not come.
SELECT
/*columns*/
FROM otel_traces
WHERE TraceId IN {trace_ids:Array(String)}
    AND Timestamp >= fromUnixTimestamp64Nano({from:Int64}) AND Timestamp <= fromUnixTimestamp64Nano({to:Int64})
ORDER BY TraceId, ParentSpanId != '', Timestamp, SpanId
LIMIT 1 BY TraceId;

-- name: usage_of_traces
-- What the model calls of some traces used; the cost is NULL where none is known.
SELECT
    TraceId,
    sum(calls.InputTokens) AS InputTokens,
    sum(calls.OutputTokens) AS OutputTokens,
    sum(calls.CostUsd) AS CostUsd
FROM genai_calls AS calls
WHERE TraceId IN {trace_ids:Array(String)}
    AND Timestamp >= fromUnixTimestamp64Nano({from:Int64}) AND Timestamp <= fromUnixTimestamp64Nano({to:Int64})
GROUP BY TraceId;

-- name: assessments
-- Assessments as they are now, the newest first.
SELECT
    AssessmentId,
    TraceId,
    SpanId,
    SessionId,
    Kind,
    Name,
    Value,
    Rationale,
    SourceType,
    SourceId,
    Metadata,
    Error,
    ErrorCode,
    Overrides,
    Valid,
    LabelingSessionId,
    EvaluationRunId,
    toUnixTimestamp64Milli(CreatedAt) AS CreatedMs,
    toUnixTimestamp64Milli(UpdatedAt) AS UpdatedMs
FROM feedback
WHERE true
/*conditions*/
ORDER BY CreatedAt DESC, AssessmentId DESC, TraceId DESC
LIMIT {limit:UInt32};

-- name: find_sessions
-- Sessions that were active in a stretch of time, the last to begin first.
SELECT *, toUnixTimestamp64Nano(Start) AS Began
FROM genai_sessions
WHERE SessionId IN
(
    SELECT DISTINCT ConversationId
    FROM otel_traces
    WHERE Timestamp >= fromUnixTimestamp64Nano({from:Int64}) AND Timestamp < fromUnixTimestamp64Nano({until:Int64})
        AND ConversationId != ''
)
/*conditions*/
ORDER BY /*order*/
LIMIT {limit:UInt32};

-- name: some_sessions
-- Those of some sessions that fit.
SELECT *, toUnixTimestamp64Nano(Start) AS Began
FROM genai_sessions
WHERE SessionId IN {session_ids:Array(String)}
/*conditions*/;

-- name: sessions_by_first_span
-- The sessions of which a span began in a stretch of time, by the first of these, the last first.
SELECT ConversationId AS SessionId, toUnixTimestamp64Nano(min(Timestamp)) AS At
FROM otel_traces
WHERE Timestamp >= fromUnixTimestamp64Nano({from:Int64}) AND Timestamp < fromUnixTimestamp64Nano({until:Int64})
    AND ConversationId != ''
GROUP BY ConversationId
HAVING (At, SessionId) < ({before:Int64}, {before_id:String})
ORDER BY At DESC, SessionId DESC
LIMIT {limit:UInt32};

-- name: feedback_of_sessions
-- How many assessments there are of some sessions: of the conversation as a whole and of its traces. What is overridden
-- does not count. Negative: a person said false, zero or less.
WITH of_traces AS
(
    SELECT TraceId, any(ConversationId) AS Conversation
    FROM otel_traces
    WHERE ConversationId IN {session_ids:Array(String)}
    GROUP BY TraceId
)
SELECT
    if(of_traces.Conversation != '', of_traces.Conversation, feedback.SessionId) AS Session,
    count() AS Assessments,
    countIf(Kind = 'feedback') AS Feedback,
    countIf(Kind = 'expectation') AS Expectations,
    countIf(Kind = 'feedback' AND SourceType = 'HUMAN' AND NumericValue <= 0) AS NegativeFeedback
FROM feedback
LEFT ANY JOIN of_traces ON of_traces.TraceId = feedback.TraceId
WHERE Valid
    AND (TraceId IN (SELECT TraceId FROM of_traces) OR SessionId IN {session_ids:Array(String)})
GROUP BY Session;

-- name: columns_of_spans
-- What is read of a span.
    TraceId,
    SpanId,
    ParentSpanId,
    SpanName,
    SpanKind,
    /*span_type*/ AS SpanType,
    ServiceName,
    toUnixTimestamp64Nano(Timestamp) AS Began,
    Duration,
    StatusCode,
    StatusMessage,
    ConversationId,
    UserId,
    SpanAttributes,
    ResourceAttributes,
    arrayMap(at -> toUnixTimestamp64Nano(at), Events.Timestamp) AS EventTimes,
    Events.Name AS EventNames,
    Events.Attributes AS EventAttributes,
    Links.TraceId AS LinkTraceIds,
    Links.SpanId AS LinkSpanIds,
    Links.Attributes AS LinkAttributes;

-- name: history_of_assessments
-- All that was said of some assessments, in the order of the events. The ids of one trace may fit another's: whoever
-- asks for several pairs looks again.
SELECT
    toUnixTimestamp64Nano(Timestamp) AS At,
    Event,
    AssessmentId,
    TraceId,
    SpanId,
    SessionId,
    Kind,
    Name,
    Value,
    Rationale,
    SourceType,
    SourceId,
    Metadata,
    Error,
    ErrorCode,
    Overrides,
    LabelingSessionId,
    EvaluationRunId,
    ServiceName,
    toUnixTimestamp64Milli(ReceivedAt) AS ReceivedMs
FROM feedback_history
WHERE TraceId IN {trace_ids:Array(String)} AND AssessmentId IN {assessment_ids:Array(String)}
ORDER BY At
LIMIT {limit:UInt32};

-- name: unlinked
-- What does not hang together and is of a certain age, the newest first.
SELECT
    Reason,
    AssessmentId,
    TraceId,
    SpanId,
    SessionId,
    Name,
    SourceType,
    SourceId,
    toUnixTimestamp64Nano(Timestamp) AS At,
    AgeSeconds
FROM feedback_unlinked
WHERE AgeSeconds >= {min_age:Int64}
    AND (toUnixTimestamp64Nano(Timestamp), AssessmentId, TraceId, Reason)
        < ({before:Int64}, {before_id:String}, {before_trace:String}, {before_reason:String})
ORDER BY At DESC, AssessmentId DESC, TraceId DESC, Reason DESC
LIMIT {limit:UInt32};

-- name: unlinked_by_reason
-- How much does not hang together, and for how long the oldest.
SELECT Reason, count() AS Count, max(AgeSeconds) AS OldestSeconds
FROM feedback_unlinked
WHERE AgeSeconds >= {min_age:Int64}
GROUP BY Reason
ORDER BY Reason;

-- name: known_traces
-- Those of some traces that have come.
SELECT DISTINCT TraceId FROM otel_traces_trace_id_ts WHERE TraceId IN {trace_ids:Array(String)};

-- name: known_spans
-- Those of some spans that have come, within the stretch of time in which their traces lie.
WITH
    (
        SELECT (toInt64(toUnixTimestamp(min(Start))), toInt64(toUnixTimestamp(max(End))))
        FROM otel_traces_trace_id_ts
        WHERE TraceId IN {trace_ids:Array(String)}
    ) AS stretch
SELECT DISTINCT TraceId, SpanId
FROM otel_traces
WHERE TraceId IN {trace_ids:Array(String)} AND SpanId IN {span_ids:Array(String)}
    AND (
        stretch.1 = 0 OR stretch.2 = 4294967295
        OR (
            Timestamp >= fromUnixTimestamp64Nano(stretch.1 * 1000000000)
            AND Timestamp < fromUnixTimestamp64Nano((stretch.2 + 1) * 1000000000)
        )
    );

-- name: known_sessions
-- Those of some sessions of which a span has come.
SELECT DISTINCT ConversationId FROM otel_traces WHERE ConversationId IN {session_ids:Array(String)};

-- name: traces_of_session
-- The traces of a session, in the order in which they began.
SELECT TraceId
FROM otel_traces
WHERE ConversationId = {session_id:String} AND TraceId != ''
GROUP BY TraceId
ORDER BY min(Timestamp), TraceId
LIMIT {limit:UInt32};
