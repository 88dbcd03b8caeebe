-- Everything that was said, in order: who made, corrected, overrode and retracted what, and when. Filter by TraceId and
-- AssessmentId for the history of one assessment.
CREATE VIEW IF NOT EXISTS feedback_history /*ON CLUSTER*/ AS
SELECT
    Timestamp,
    multiIf(Deleted, 'retracted', Correction, 'corrected', Overrides != '', 'overrode', 'said') AS Event,
    AssessmentId,
    TraceId,
    SpanId,
    SessionId,
    Kind,
    Name,
    Value,
    NumericValue,
    Rationale,
    SourceType,
    SourceId,
    Metadata,
    Error,
    ErrorCode,
    Overrides,
    LabelingSessionId,
    EvaluationRunId,
    ResponseId,
    ServiceName,
    ReceivedAt
FROM feedback_events FINAL
ORDER BY TraceId, AssessmentId, Version;
