-- The current state of each assessment: a row each, without those that were retracted.
--
-- Valid is false while a live assessment of the same trace overrides this one. It is found when it is asked for: once
-- what overrides is retracted, what was overridden holds again. Value is JSON text.
--
-- What people said of one trace:
--     SELECT Name, Value, Rationale, SourceId FROM feedback WHERE TraceId = '4bf9…' AND SourceType = 'HUMAN' AND Valid
-- How often each judge was overruled last week:
--     SELECT SourceId, Name, countIf(NOT Valid) / count() AS Overruled FROM feedback
--     WHERE SourceType = 'LLM_JUDGE' AND CreatedAt > now() - INTERVAL 1 WEEK GROUP BY SourceId, Name
CREATE VIEW IF NOT EXISTS feedback /*ON CLUSTER*/ AS
WITH
    change.Version > said.Version AS changed,
    -- The ids that hansei makes begin with the milliseconds of their creation, like a UUIDv7: a second statement under
    -- the same id does not make it younger. Of an id that is made in another way nothing is known.
    match(said.AssessmentId, '^a-[0-9a-f]{32}$') AS dated,
    toInt64(reinterpretAsUInt64(reverse(unhex(substring(said.AssessmentId, 3, 12))))) AS milliseconds,
    toUnixTimestamp64Milli(said.Timestamp) AS heard
SELECT
    said.AssessmentId AS AssessmentId,
    said.TraceId AS TraceId,
    said.SpanId AS SpanId,
    said.SessionId AS SessionId,
    said.Kind AS Kind,
    -- One who overrides need not know the name.
    multiIf(changed AND change.Name != '', change.Name, said.Name != '', said.Name, named.Name) AS Name,
    if(changed, change.Value, said.Value) AS Value,
    if(changed, change.NumericValue, said.NumericValue) AS NumericValue,
    if(changed, change.Rationale, said.Rationale) AS Rationale,
    said.SourceType AS SourceType,
    said.SourceId AS SourceId,
    if(changed, change.Metadata, said.Metadata) AS Metadata,
    if(changed, change.Error, said.Error) AS Error,
    if(changed, change.ErrorCode, said.ErrorCode) AS ErrorCode,
    said.Overrides AS Overrides,
    over.Overrides = '' AS Valid,
    said.LabelingSessionId AS LabelingSessionId,
    said.EvaluationRunId AS EvaluationRunId,
    said.ResponseId AS ResponseId,
    said.ServiceName AS ServiceName,
    fromUnixTimestamp64Milli(if(dated AND milliseconds <= heard, milliseconds, heard)) AS CreatedAt,
    fromUnixTimestamp64Milli(toUnixTimestamp64Milli(if(changed, change.Timestamp, said.Timestamp))) AS UpdatedAt
FROM feedback_state AS said FINAL
LEFT ANY JOIN feedback_changes AS change FINAL
    ON change.TraceId = said.TraceId AND change.AssessmentId = said.AssessmentId
LEFT ANY JOIN
(
    SELECT overriding.TraceId AS TraceId, overriding.Overrides AS Overrides
    FROM (SELECT TraceId, AssessmentId, Version, Overrides FROM feedback_state FINAL WHERE Overrides != '') AS overriding
    LEFT ANY JOIN feedback_changes AS change FINAL
        ON change.TraceId = overriding.TraceId AND change.AssessmentId = overriding.AssessmentId
    WHERE NOT (change.Deleted AND change.Version > overriding.Version)
) AS over
    ON over.TraceId = said.TraceId AND over.Overrides = said.AssessmentId
LEFT ANY JOIN
(
    SELECT TraceId, AssessmentId, Name
    FROM feedback_state FINAL
    WHERE (TraceId, AssessmentId) IN (SELECT TraceId, Overrides FROM feedback_state WHERE Overrides != '' AND Name = '')
) AS named
    ON named.TraceId = said.TraceId AND named.AssessmentId = said.Overrides
WHERE NOT (changed AND change.Deleted);
