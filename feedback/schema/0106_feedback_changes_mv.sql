CREATE MATERIALIZED VIEW IF NOT EXISTS feedback_changes_mv /*ON CLUSTER*/ TO feedback_changes AS
SELECT
    TraceId,
    AssessmentId,
    Version,
    Timestamp,
    Deleted,
    Name,
    Value,
    NumericValue,
    Rationale,
    Metadata,
    Error,
    ErrorCode
FROM feedback_events
WHERE Correction OR Deleted;
