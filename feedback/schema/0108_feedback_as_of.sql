-- The state of each assessment at a moment, by the time that the events tell, with the columns of feedback: what was
-- said later is left out, and what was overridden or retracted later holds.
--
--     SELECT Name, Value FROM feedback_as_of(at = '2026-11-20 12:00:00') WHERE TraceId = '4bf9…' AND Valid
CREATE VIEW IF NOT EXISTS feedback_as_of /*ON CLUSTER*/ AS
WITH
    states AS
    (
        SELECT *
        FROM feedback_events
        WHERE NOT Correction AND NOT Deleted AND Timestamp <= {at:DateTime64(9)}
        ORDER BY TraceId, AssessmentId, Version DESC
        LIMIT 1 BY TraceId, AssessmentId
    ),
    changes AS
    (
        SELECT *
        FROM feedback_events
        WHERE (Correction OR Deleted) AND Timestamp <= {at:DateTime64(9)}
        ORDER BY TraceId, AssessmentId, Version DESC
        LIMIT 1 BY TraceId, AssessmentId
    ),
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
FROM states AS said
LEFT ANY JOIN changes AS change ON change.TraceId = said.TraceId AND change.AssessmentId = said.AssessmentId
LEFT ANY JOIN
(
    SELECT overriding.TraceId AS TraceId, overriding.Overrides AS Overrides
    FROM states AS overriding
    LEFT ANY JOIN changes AS change
        ON change.TraceId = overriding.TraceId AND change.AssessmentId = overriding.AssessmentId
    WHERE overriding.Overrides != '' AND NOT (change.Deleted AND change.Version > overriding.Version)
) AS over
    ON over.TraceId = said.TraceId AND over.Overrides = said.AssessmentId
LEFT ANY JOIN states AS named ON named.TraceId = said.TraceId AND named.AssessmentId = said.Overrides
WHERE NOT (changed AND change.Deleted);
