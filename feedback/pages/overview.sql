-- name: usage_over_time
-- What model calls used, by bucket and model; bucket 0 is the period before.
SELECT
    if(Start < toDateTime({start:UInt32}), 0, intDiv(toUnixTimestamp(Start), {bucket:UInt32}) * {bucket:UInt32}) AS Bucket,
    usage.Model AS Model,
    sum(usage.Calls) AS Calls,
    sum(usage.Errors) AS Errors,
    sum(usage.InputTokens) AS InputTokens,
    sum(usage.OutputTokens) AS OutputTokens,
    sum(usage.CostUsd) AS CostUsd,
    sum(usage.UnpricedCalls) AS UnpricedCalls
FROM genai_usage AS usage
WHERE Start >= toDateTime({before:UInt32}) AND Start < toDateTime({end:UInt32})
    AND ({service:String} = '' OR ServiceName = {service:String})
GROUP BY Bucket, Model;

-- name: latency_over_time
-- Quantiles of how long model calls took, nanoseconds: by bucket, of the whole period (bucket 1) and of the period before
-- (bucket 0). Sketches merge; quantiles of quantiles would be none.
SELECT
    arrayJoin(if(
        Start < toDateTime({start:UInt32}),
        [0],
        [1, intDiv(toUnixTimestamp(Start), {bucket:UInt32}) * {bucket:UInt32}])) AS Bucket,
    quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(DurationSketch) AS Quantiles,
    Quantiles[1] AS P50,
    Quantiles[2] AS P95,
    Quantiles[3] AS P99
FROM genai_usage_5m
WHERE Start >= toDateTime({before:UInt32}) AND Start < toDateTime({end:UInt32})
    AND ({service:String} = '' OR ServiceName = {service:String})
GROUP BY Bucket;

-- name: usage_of_services
-- What each service used. The filter by service does not apply: it is picked from these.
SELECT
    usage.ServiceName AS ServiceName,
    sum(usage.Calls) AS Calls,
    sum(usage.InputTokens) + sum(usage.OutputTokens) AS Tokens,
    sum(usage.CostUsd) AS CostUsd,
    sum(usage.UnpricedCalls) AS UnpricedCalls
FROM genai_usage AS usage
WHERE Start >= toDateTime({start:UInt32}) AND Start < toDateTime({end:UInt32})
GROUP BY ServiceName
ORDER BY CostUsd DESC NULLS LAST, Calls DESC, ServiceName;

-- name: usage_of_users
-- The users that cost most. No roll-up knows users, so this reads the calls themselves, without their messages.
SELECT
    calls.UserId AS UserId,
    count() AS Calls,
    sum(calls.InputTokens + calls.OutputTokens) AS Tokens,
    sum(calls.CostUsd) AS CostUsd
FROM genai_calls AS calls
WHERE Timestamp >= fromUnixTimestamp64Nano({start:Int64} * 1000000000)
    AND Timestamp < fromUnixTimestamp64Nano({end:Int64} * 1000000000)
    AND UserId != ''
    AND ({service:String} = '' OR ServiceName = {service:String})
GROUP BY UserId
ORDER BY CostUsd DESC NULLS LAST, Calls DESC, UserId
LIMIT 10;

-- name: feedback_over_time
-- What was said, by bucket, name and source; bucket 0 is the period before. Rated: values that are numbers, yes and no
-- among them. The view feedback tells what holds now, of whatever was corrected, retracted or overridden, or has its name
-- from elsewhere; for the many that were not, its joins would cost ten times as much as reading them. Of a service is
-- what was said of traces with their root in it, which may have begun up to a week before. By identity() the engine
-- does not look for so many ids in the index of every granule, which would take longer than to read the ids.
WITH
    of_service AS
    (
        SELECT TraceId
        FROM otel_traces
        WHERE ServiceName = {service:String}
            AND ParentSpanId = ''
            AND Timestamp >= fromUnixTimestamp64Nano(({before:Int64} - 604800) * 1000000000)
            AND Timestamp < fromUnixTimestamp64Nano({end:Int64} * 1000000000)
            AND identity(TraceId) IN
            (
                SELECT TraceId
                FROM feedback_state
                WHERE Timestamp >= fromUnixTimestamp64Nano({before:Int64} * 1000000000)
                    AND Timestamp < fromUnixTimestamp64Nano({end:Int64} * 1000000000)
            )
    ),
    touched AS
    (
        SELECT TraceId, AssessmentId FROM feedback_changes
        UNION ALL
        SELECT TraceId, Overrides FROM feedback_state WHERE Overrides != ''
        UNION ALL
        SELECT TraceId, AssessmentId FROM feedback_state WHERE Name = ''
    )
SELECT
    if(At < fromUnixTimestamp64Nano({start:Int64} * 1000000000), 0,
        intDiv(toUnixTimestamp(At), {bucket:UInt32}) * {bucket:UInt32}) AS Bucket,
    Name,
    SourceType,
    count() AS Given,
    count(NumericValue) AS Rated,
    countIf(NumericValue <= 0) AS Negative,
    ifNull(sum(NumericValue), 0) AS Total
FROM
(
    SELECT TraceId, Timestamp AS At, Name, SourceType, NumericValue
    FROM feedback_state FINAL
    WHERE Timestamp >= fromUnixTimestamp64Nano({before:Int64} * 1000000000)
        AND Timestamp < fromUnixTimestamp64Nano({end:Int64} * 1000000000)
        AND Kind = 'feedback'
        AND (TraceId, AssessmentId) NOT IN (SELECT TraceId, AssessmentId FROM touched)
    UNION ALL
    SELECT TraceId, CreatedAt AS At, Name, SourceType, NumericValue
    FROM feedback
    WHERE CreatedAt >= fromUnixTimestamp64Nano({before:Int64} * 1000000000)
        AND CreatedAt < fromUnixTimestamp64Nano({end:Int64} * 1000000000)
        AND Kind = 'feedback'
        AND Valid
        AND (TraceId, AssessmentId) IN (SELECT TraceId, AssessmentId FROM touched)
)
WHERE {service:String} = '' OR TraceId IN (SELECT TraceId FROM of_service)
GROUP BY Bucket, Name, SourceType;

-- name: traces_over_time
-- How many traces began and failed, by bucket and service; bucket 0 is the period before. As in the list's histogram, a
-- trace counts where its root is.
SELECT
    if(Start < toDateTime({start:UInt32}), 0, intDiv(toUnixTimestamp(Start), {bucket:UInt32}) * {bucket:UInt32}) AS Bucket,
    ServiceName,
    sum(roots.Traces) AS Traces,
    sum(roots.Errors) AS Errors
FROM otel_roots_5m AS roots
WHERE Start >= toDateTime({before:UInt32}) AND Start < toDateTime({end:UInt32})
GROUP BY Bucket, ServiceName;

-- name: slowest_traces
-- By their roots.
SELECT TraceId, Duration AS Figure
FROM otel_traces
WHERE Timestamp >= fromUnixTimestamp64Nano({start:Int64} * 1000000000)
    AND Timestamp < fromUnixTimestamp64Nano({end:Int64} * 1000000000)
    AND ParentSpanId = '' AND TraceId != ''
    AND ({service:String} = '' OR ServiceName = {service:String})
ORDER BY Duration DESC, TraceId
LIMIT 5;

-- name: failed_traces
-- The last whose root failed.
SELECT TraceId, max(Timestamp) AS At, any(ErrorType) AS Figure
FROM otel_traces
WHERE Timestamp >= fromUnixTimestamp64Nano({start:Int64} * 1000000000)
    AND Timestamp < fromUnixTimestamp64Nano({end:Int64} * 1000000000)
    AND StatusCode = 'Error' AND ParentSpanId = '' AND TraceId != ''
    AND ({service:String} = '' OR ServiceName = {service:String})
GROUP BY TraceId
ORDER BY At DESC, TraceId
LIMIT 5;

-- name: disliked_traces
-- Those of which people said most in the time that is false, zero or less. Who corrects may have made it so.
WITH maybe AS
(
    SELECT TraceId
    FROM feedback_state
    WHERE SourceType = 'HUMAN' AND NumericValue <= 0 AND TraceId != ''
        AND Timestamp >= fromUnixTimestamp64Nano({start:Int64} * 1000000000)
    UNION ALL
    SELECT TraceId FROM feedback_changes WHERE NumericValue <= 0 AND TraceId != ''
)
SELECT TraceId, count() AS Figure
FROM feedback
WHERE Valid AND Kind = 'feedback' AND SourceType = 'HUMAN' AND NumericValue <= 0
    AND CreatedAt >= fromUnixTimestamp64Nano({start:Int64} * 1000000000)
    AND CreatedAt < fromUnixTimestamp64Nano({end:Int64} * 1000000000)
    AND TraceId IN (SELECT TraceId FROM maybe)
    AND ({service:String} = '' OR TraceId IN
    (
        SELECT TraceId
        FROM otel_traces
        WHERE ServiceName = {service:String}
            AND ParentSpanId = ''
            AND Timestamp >= fromUnixTimestamp64Nano(({start:Int64} - 604800) * 1000000000)
            AND identity(TraceId) IN (SELECT TraceId FROM maybe)
    ))
GROUP BY TraceId
ORDER BY Figure DESC, max(CreatedAt) DESC, TraceId
LIMIT 5;

-- name: dearest_traces
-- By what their model calls cost, as far as it is known.
SELECT TraceId, sum(calls.CostUsd) AS Figure
FROM genai_calls AS calls
WHERE Timestamp >= fromUnixTimestamp64Nano({start:Int64} * 1000000000)
    AND Timestamp < fromUnixTimestamp64Nano({end:Int64} * 1000000000)
    AND ({service:String} = '' OR ServiceName = {service:String})
GROUP BY TraceId
HAVING Figure > 0
ORDER BY Figure DESC, TraceId
LIMIT 5;

-- name: names_of_traces
-- What some traces are called, where they began and when.
SELECT TraceId, Name, ServiceName, toUnixTimestamp64Nano(Start) AS StartNs
FROM genai_traces
WHERE TraceId IN {trace_ids:Array(String)};
