-- name: labeling_labels
-- What was answered in a session, as it stands now, and what arbiters decided. The traces of its items are looked up by the
-- key; what is said of a conversation has no trace, as an item that is a conversation has none.
SELECT
    AssessmentId,
    TraceId,
    SpanId,
    SessionId,
    Name,
    Value,
    Rationale,
    SourceId,
    Metadata,
    toUnixTimestamp64Milli(UpdatedAt) AS UpdatedMs
FROM feedback
WHERE TraceId IN (SELECT TraceId FROM labeling_items FINAL WHERE SessionId = {session_id:String} AND NOT Deleted)
    AND LabelingSessionId = {session_id:String}
    AND SourceType = 'HUMAN'
    AND Error = ''
ORDER BY UpdatedAt, AssessmentId;
