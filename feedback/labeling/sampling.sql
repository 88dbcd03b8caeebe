-- name: sampled_negative
-- Traces of which a person said false, zero or less.
TraceId IN (
    SELECT TraceId FROM feedback
    WHERE Valid AND Kind = 'feedback' AND SourceType = 'HUMAN' AND NumericValue <= 0 AND TraceId != ''
        AND ({sampled_name:String} = '' OR Name = {sampled_name:String})
);

-- name: sampled_disagreement
-- Traces of which a judge and a person said different things under one name. 1, 1.0 and true are the same.
TraceId IN (
    SELECT TraceId FROM feedback
    WHERE Valid AND Kind = 'feedback' AND SourceType IN ('HUMAN', 'LLM_JUDGE') AND Error = '' AND TraceId != ''
        AND ({sampled_name:String} = '' OR Name = {sampled_name:String})
    GROUP BY TraceId, Name
    HAVING countIf(SourceType = 'HUMAN') > 0 AND countIf(SourceType = 'LLM_JUDGE') > 0
        AND uniqExact(if(NumericValue IS NULL, Value, toString(assumeNotNull(NumericValue)))) > 1
);

-- name: sampled_low_score
-- Traces of which anyone gave a score up to a threshold.
TraceId IN (
    SELECT TraceId FROM feedback
    WHERE Valid AND Kind = 'feedback' AND Name = {sampled_name:String} AND NumericValue <= {sampled_threshold:Float64}
        AND TraceId != ''
);

-- name: sample_newest
-- The newest of the traces that were found and are no item yet.
SELECT TraceId
FROM (/*found*/)
WHERE TraceId NOT IN (SELECT TraceId FROM labeling_items WHERE SessionId = {session_id:String} AND Kind = 'trace')
ORDER BY Began DESC, TraceId DESC
LIMIT {sample:UInt32};

-- name: sample_random
-- Traces drawn from those that were found and are no item yet. What is drawn depends on the ids alone, so that all who draw
-- draw the same. Of a weighted draw without repetition the keys are -ln(u)/weight, the smallest first (Efraimidis and
-- Spirakis, 2006); a trace without weight is never drawn.
WITH (toFloat64(sipHash64('hansei.labeling', TraceId)) + 0.5) / 18446744073709551616. AS u
SELECT TraceId
FROM
(
    SELECT TraceId, /*weight*/ AS Weight
    FROM /*rows*/
    WHERE TraceId IN (SELECT TraceId FROM (/*found*/))
        AND Timestamp >= fromUnixTimestamp64Nano({from:Int64}) AND Timestamp < fromUnixTimestamp64Nano({until_late:Int64})
    GROUP BY TraceId
)
WHERE Weight > 0 AND u < {sample_share:Float64}
    AND TraceId NOT IN (SELECT TraceId FROM labeling_items WHERE SessionId = {session_id:String} AND Kind = 'trace')
ORDER BY -log(u) / Weight, TraceId
LIMIT {sample:UInt32};

-- name: sample_stratified
-- So many traces of each value, drawn by their ids. Those that this rule has chosen before take their places first, so that
-- a repetition adds only to what is not full.
SELECT TraceId
FROM
(
    SELECT TraceId, Stratum, TraceId IN (
        SELECT TraceId FROM labeling_items
        WHERE SessionId = {session_id:String} AND Kind = 'trace' AND Reason = {reason:String}
    ) AS Chosen
    FROM
    (
        SELECT TraceId, /*stratum*/ AS Stratum
        FROM otel_traces
        WHERE TraceId IN (SELECT TraceId FROM (/*found*/))
            AND Timestamp >= fromUnixTimestamp64Nano({from:Int64})
            AND Timestamp < fromUnixTimestamp64Nano({until_late:Int64})
        GROUP BY TraceId
    )
    WHERE Chosen OR TraceId NOT IN (
        SELECT TraceId FROM labeling_items WHERE SessionId = {session_id:String} AND Kind = 'trace'
    )
    ORDER BY Chosen DESC, sipHash64('hansei.labeling', TraceId), TraceId
    LIMIT {sample_each:UInt32} BY Stratum
)
WHERE NOT Chosen
ORDER BY sipHash64('hansei.labeling', TraceId), TraceId
LIMIT {sample:UInt32};

-- name: sample_count
-- How many traces a rule chooses, and the first of them.
SELECT count() AS Count, groupArray({shown:UInt32})(TraceId) AS TraceIds
FROM (/*sample*/);

-- name: sampled_before
-- How many items a rule has chosen for a session, also removed ones.
SELECT count() AS Count
FROM labeling_items FINAL
WHERE SessionId = {session_id:String} AND Reason = {reason:String};
