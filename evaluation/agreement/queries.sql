-- name: judged_and_labelled
-- What a judge said of what people have labelled, and their labels. People label little and judges say much, so the
-- targets are those of the labels, which are looked up by the key. Who overrides need not repeat the name.
SELECT
    AssessmentId,
    TraceId,
    SpanId,
    SessionId,
    Name,
    Value,
    Rationale,
    SourceType,
    SourceId,
    Metadata,
    LabelingSessionId,
    toUnixTimestamp64Milli(CreatedAt) AS CreatedMs,
    toUnixTimestamp64Milli(UpdatedAt) AS UpdatedMs
FROM feedback
WHERE TraceId IN
    (
        SELECT TraceId
        FROM feedback_state
        WHERE SourceType = 'HUMAN'
            AND (Name = {label:String} OR Name = '')
            AND ({labeling_session:String} = '' OR LabelingSessionId = {labeling_session:String})
    )
    AND Error = ''
    AND (
        SourceType = 'HUMAN'
            AND Name = {label:String}
            AND Valid
            AND ({labeling_session:String} = '' OR LabelingSessionId = {labeling_session:String})
        OR SourceType IN ('LLM_JUDGE', 'CODE')
            AND (Name = {judge:String} OR Metadata['scorer'] = {judge:String})
            AND ({version:String} = '' OR Metadata['scorer_version'] = {version:String})
            AND ({run_id:String} = '' OR EvaluationRunId = {run_id:String})
            AND CreatedAt >= fromUnixTimestamp64Nano({from:Int64})
            AND CreatedAt < fromUnixTimestamp64Nano({until:Int64})
    )
ORDER BY UpdatedAt, AssessmentId
LIMIT {limit:UInt32};

-- name: comparable_names
-- What judges and what people say, by name and about how often: what was said anew may be counted twice for a while.
SELECT
    Name,
    SourceType = 'HUMAN' AS ByPeople,
    count() AS Said
FROM feedback_state
WHERE Name != ''
GROUP BY Name, ByPeople
ORDER BY Said DESC, Name
LIMIT {limit:UInt32};
