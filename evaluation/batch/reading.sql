-- name: contents_of_roots
-- What the roots of some traces took in and gave out: of several names the first that is there.
SELECT
    TraceId,
    arrayFirst(text -> text != '', arrayMap(name -> SpanAttributes[name], {inputs:Array(String)})) AS Inputs,
    arrayFirst(text -> text != '', arrayMap(name -> SpanAttributes[name], {outputs:Array(String)})) AS Outputs,
    mapFilter((name, text) -> startsWith(name, {tag:String}), SpanAttributes) AS Tags
FROM otel_traces
WHERE TraceId IN {trace_ids:Array(String)} AND ParentSpanId = ''
    AND Timestamp >= fromUnixTimestamp64Nano({from:Int64}) AND Timestamp <= fromUnixTimestamp64Nano({to:Int64})
ORDER BY Timestamp
LIMIT 1 BY TraceId;

-- name: contents_of_first_spans
-- The same of the earliest span of some traces, whose root has not come.
SELECT
    TraceId,
    arrayFirst(text -> text != '', arrayMap(name -> SpanAttributes[name], {inputs:Array(String)})) AS Inputs,
    arrayFirst(text -> text != '', arrayMap(name -> SpanAttributes[name], {outputs:Array(String)})) AS Outputs,
    mapFilter((name, text) -> startsWith(name, {tag:String}), SpanAttributes) AS Tags
FROM otel_traces
WHERE TraceId IN {trace_ids:Array(String)}
    AND Timestamp >= fromUnixTimestamp64Nano({from:Int64}) AND Timestamp <= fromUnixTimestamp64Nano({to:Int64})
ORDER BY TraceId, Timestamp, SpanId
LIMIT 1 BY TraceId;

-- name: traces_of_sessions
-- The traces of some conversations, in the order in which they began.
SELECT
    ConversationId AS SessionId,
    TraceId,
    toUnixTimestamp64Nano(min(Timestamp)) AS Began,
    toUnixTimestamp64Nano(max(Timestamp)) AS LastBegan,
    count() AS Spans
FROM otel_traces
WHERE ConversationId IN {session_ids:Array(String)} AND TraceId != '' AND ServiceName != {judging:String}
GROUP BY SessionId, TraceId
ORDER BY SessionId, Began, TraceId;

-- name: scores_of_traces
-- What evaluation has said of some traces. The last row of each is taken without FINAL, which would read all columns of
-- all rows around them.
SELECT
    AssessmentId,
    Name,
    Value,
    Error != '' OR ErrorCode != '' AS Failed,
    Metadata['revision'] AS Revision
FROM feedback_state
WHERE TraceId IN {trace_ids:Array(String)} AND EvaluationRunId != ''
ORDER BY TraceId, AssessmentId, Version DESC
LIMIT 1 BY TraceId, AssessmentId;

-- name: scores_by_id
-- Some assessments of conversations, which have no trace.
SELECT
    AssessmentId,
    Name,
    Value,
    Error != '' OR ErrorCode != '' AS Failed,
    Metadata['revision'] AS Revision
FROM feedback_state
WHERE TraceId = '' AND AssessmentId IN {assessment_ids:Array(String)}
ORDER BY AssessmentId, Version DESC
LIMIT 1 BY AssessmentId;

-- name: stored_scores
-- How many of some assessments the store has by a run.
SELECT uniqExact(TraceId, AssessmentId) AS Stored
FROM feedback_state
WHERE TraceId IN {trace_ids:Array(String)} AND AssessmentId IN {assessment_ids:Array(String)}
    AND EvaluationRunId = {run_id:String};
