CREATE MATERIALIZED VIEW IF NOT EXISTS feedback_state_mv /*ON CLUSTER*/ TO feedback_state AS
SELECT
    TraceId,
    AssessmentId,
    Version,
    Timestamp,
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
    ServiceName
FROM feedback_events
WHERE NOT Correction AND NOT Deleted;
