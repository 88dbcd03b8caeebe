-- name: run_columns
RunId,
Name,
Kind,
Status,
toUnixTimestamp64Milli(StartedAt) AS StartedMs,
toUnixTimestamp64Milli(EndedAt) AS EndedMs,
Config,
Metrics,
Intervals,
Funnel,
DatasetId,
DatasetVersion,
LabelingSessionId,
Batch,
toUnixTimestamp64Milli(WindowStart) AS WindowStartMs,
toUnixTimestamp64Milli(WindowEnd) AS WindowEndMs,
Message,
Tags;

-- name: run
SELECT
    /*columns*/
FROM evaluation_runs FINAL
WHERE RunId = {run_id:String} AND NOT Deleted;

-- name: runs
-- The runs of a kind or a batch, the last to start first; an empty text is any.
SELECT
    /*columns*/
FROM evaluation_runs FINAL
WHERE NOT Deleted
    AND ({kind:String} = '' OR Kind = {kind:String})
    AND ({batch:String} = '' OR Batch = {batch:String})
    AND ({name:String} = '' OR Name = {name:String})
    AND (StartedMs, RunId) < ({before:Int64}, {before_id:String})
ORDER BY StartedMs DESC, RunId DESC
LIMIT {limit:UInt32};

-- name: row_columns
Position,
TraceId,
SessionId,
RecordId,
Inputs,
Outputs,
Expectations,
ExpectedBy,
Tags,
Error,
DurationMs,
Scores.Name AS ScoreNames,
Scores.Scorer AS ScoreScorers,
Scores.Version AS ScoreVersions,
Scores.Value AS ScoreValues,
Scores.Rationale AS ScoreRationales,
Scores.SourceType AS ScoreSourceTypes,
Scores.SourceId AS ScoreSourceIds,
Scores.Error AS ScoreErrors,
Scores.Skipped AS ScoreSkipped,
Scores.AssessmentId AS ScoreAssessmentIds,
Scores.SpanId AS ScoreSpanIds,
Scores.DurationMs AS ScoreDurations,
Scores.CostUsd AS ScoreCosts;

-- name: run_rows
-- The rows of a run from a position on.
SELECT
    /*columns*/
FROM evaluation_rows FINAL
WHERE RunId = {run_id:String} AND Position >= {from:UInt32}
ORDER BY Position
LIMIT {limit:UInt32};

-- name: run_rows_at
-- Some rows of a run, by their positions.
SELECT
    /*columns*/
FROM evaluation_rows FINAL
WHERE RunId = {run_id:String} AND Position IN {positions:Array(UInt32)};

-- name: lowest_run_rows
-- The rows of a run by a score: those without a number first, then the lowest.
SELECT
    /*columns*/
FROM evaluation_rows FINAL
WHERE RunId = {run_id:String}
ORDER BY Scores.NumericValue[indexOf(Scores.Name, {name:String})] ASC NULLS FIRST, Position
LIMIT {limit:UInt32} OFFSET {skip:UInt32};

-- name: scores_of_run
-- What a run said, by the trace or the conversation.
SELECT AssessmentId, TraceId, SpanId, SessionId, Name, Value, NumericValue, Rationale, SourceType, SourceId, Metadata, Error
FROM feedback
WHERE EvaluationRunId = {run_id:String}
ORDER BY NumericValue ASC NULLS FIRST, TraceId, SessionId, Name
LIMIT {limit:UInt32} OFFSET {skip:UInt32};

-- name: run_row_count
SELECT uniqExact(Position) AS Rows
FROM evaluation_rows
WHERE RunId = {run_id:String};
