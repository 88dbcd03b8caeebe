-- A row a trace: its valid assessments folded. The arrays are parallel, in the order of creation.
--
-- Traces that a person found bad, the newest first:
--     SELECT TraceId, Names, Values FROM trace_feedback
--     WHERE arrayExists((name, value) -> name = 'helpful' AND value = 0, Names, NumericValues) ORDER BY LastAt DESC
CREATE VIEW IF NOT EXISTS trace_feedback /*ON CLUSTER*/ AS
WITH arraySort(groupArray((
    CreatedAt, AssessmentId, Name, Value, NumericValue, Kind, SourceType, SourceId, SpanId))) AS assessments
SELECT
    TraceId,
    count() AS Assessments,
    countIf(feedback.Kind = 'feedback') AS Feedback,
    countIf(feedback.Kind = 'expectation') AS Expectations,
    countIf(feedback.SourceType = 'HUMAN') AS Human,
    countIf(feedback.SourceType = 'LLM_JUDGE') AS LlmJudge,
    countIf(feedback.SourceType = 'CODE') AS Code,
    countIf(feedback.Error != '') AS Errors,
    assessments.2 AS AssessmentIds,
    assessments.3 AS Names,
    assessments.4 AS Values,
    assessments.5 AS NumericValues,
    assessments.6 AS Kinds,
    assessments.7 AS SourceTypes,
    assessments.8 AS SourceIds,
    assessments.9 AS SpanIds,
    min(feedback.CreatedAt) AS FirstAt,
    max(feedback.UpdatedAt) AS LastAt
FROM feedback
WHERE Valid AND TraceId != ''
GROUP BY TraceId;
