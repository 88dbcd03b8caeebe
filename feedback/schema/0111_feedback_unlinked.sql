-- What does not hang together: a row a reason. Feedback may come before its trace, so most of it mends itself; what is
-- still here after the longest delay of your exporters will not. AgeSeconds counts from when it was said.
--
--     SELECT Reason, count(), max(AgeSeconds) FROM feedback_unlinked WHERE AgeSeconds > 600 GROUP BY Reason
CREATE VIEW IF NOT EXISTS feedback_unlinked /*ON CLUSTER*/ AS
WITH
    targets AS (SELECT AssessmentId, TraceId, SpanId, SessionId, Name, SourceType, SourceId, Overrides, Timestamp FROM feedback_state FINAL),
    live AS
    (
        SELECT *
        FROM targets
        WHERE (TraceId, AssessmentId) NOT IN (SELECT TraceId, AssessmentId FROM feedback_changes FINAL WHERE Deleted)
    ),
    known_traces AS
    (
        SELECT DISTINCT TraceId
        FROM otel_traces_trace_id_ts
        WHERE TraceId IN (SELECT TraceId FROM feedback_state)
    ),
    known_spans AS
    (
        SELECT TraceId, SpanId
        FROM otel_traces
        WHERE SpanId IN (SELECT SpanId FROM feedback_state WHERE SpanId != '')
    )
SELECT
    Reason,
    AssessmentId,
    TraceId,
    SpanId,
    SessionId,
    Name,
    SourceType,
    SourceId,
    Timestamp,
    dateDiff('second', Timestamp, now64(9)) AS AgeSeconds
FROM
(
    SELECT *, 'names neither a trace nor a session' AS Reason FROM live WHERE TraceId = '' AND SessionId = ''
    UNION ALL
    SELECT *, 'its trace has not come' FROM live WHERE TraceId != '' AND TraceId NOT IN known_traces
    UNION ALL
    SELECT *, 'its trace has no such span' FROM live
    WHERE SpanId != '' AND TraceId IN known_traces AND (TraceId, SpanId) NOT IN known_spans
    UNION ALL
    SELECT *, 'what it overrides has not come' FROM live
    WHERE Overrides != '' AND (TraceId, Overrides) NOT IN (SELECT TraceId, AssessmentId FROM feedback_state)
    UNION ALL
    -- It reached nothing: the id belongs to no assessment of this trace.
    SELECT AssessmentId, TraceId, '', '', Name, '', '', '', Timestamp, if(Deleted, 'what it retracts has not come', 'what it corrects has not come')
    FROM feedback_changes FINAL
    WHERE (TraceId, AssessmentId) NOT IN (SELECT TraceId, AssessmentId FROM feedback_state)
    UNION ALL
    SELECT *, 'its id is used in another trace' FROM live
    WHERE AssessmentId IN (SELECT AssessmentId FROM feedback_state GROUP BY AssessmentId HAVING uniqExact(TraceId) > 1)
);
