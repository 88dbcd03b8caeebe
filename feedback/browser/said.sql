-- The latest of everything that was said, corrected or taken back under some ids of one trace: the later event holds, as
-- in the view feedback. Read from the ledger itself, because what was taken back is to be known too.
SELECT
    AssessmentId,
    toUnixTimestamp64Nano(max(Timestamp)) AS At,
    argMax(Value, Version) AS Value,
    argMax(Rationale, Version) AS Rationale,
    argMax(Deleted, Version) AS Retracted
FROM feedback_events
WHERE TraceId = {trace_id:String} AND AssessmentId IN {ids:Array(String)}
GROUP BY AssessmentId
-- A correction of nothing is nothing.
HAVING countIf(NOT Correction AND NOT Deleted) > 0
