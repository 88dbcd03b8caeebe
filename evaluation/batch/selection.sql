-- name: ending_spans
-- The subjects of which a span ended in a stretch of time. The primary key is the time at which spans begin: of those
-- that began long before, only such are read as lasted long enough, which the index of durations tells. A span that
-- lasts longer than a day is not seen.
SELECT /*id*/ AS Id
FROM otel_traces
WHERE Timestamp >= fromUnixTimestamp64Nano({from:Int64} - 60000000000)
    AND Timestamp < fromUnixTimestamp64Nano({until:Int64})
    AND toUnixTimestamp64Nano(Timestamp) + toInt64(Duration) >= {from:Int64}
    AND toUnixTimestamp64Nano(Timestamp) + toInt64(Duration) < {until:Int64}
    AND /*conditions*/
UNION ALL
SELECT /*id*/ AS Id
FROM otel_traces
WHERE Timestamp >= fromUnixTimestamp64Nano({from:Int64} - 3600000000000)
    AND Timestamp < fromUnixTimestamp64Nano({from:Int64} - 60000000000)
    AND Duration >= 60000000000 AND Duration < 86400000000000
    AND toUnixTimestamp64Nano(Timestamp) + toInt64(Duration) >= {from:Int64}
    AND toUnixTimestamp64Nano(Timestamp) + toInt64(Duration) < {until:Int64}
    AND /*conditions*/
UNION ALL
SELECT /*id*/ AS Id
FROM otel_traces
WHERE Timestamp >= fromUnixTimestamp64Nano({from:Int64} - 86400000000000)
    AND Timestamp < fromUnixTimestamp64Nano({from:Int64} - 3600000000000)
    AND Duration >= 3600000000000 AND Duration < 86400000000000
    AND toUnixTimestamp64Nano(Timestamp) + toInt64(Duration) >= {from:Int64}
    AND toUnixTimestamp64Nano(Timestamp) + toInt64(Duration) < {until:Int64}
    AND /*conditions*/;

-- name: traces_that_ended
-- The traces whose last span ended in a stretch of time, after a place in the order of their ends. All of their spans
-- that have come count, also those after the stretch. They are found as find_traces finds them.
WITH
    ending AS
    (
/*ending*/
    ),
    candidates AS (SELECT DISTINCT Id AS TraceId FROM ending),
    (
        SELECT (toInt64(toUnixTimestamp(min(Start))), toInt64(toUnixTimestamp(max(End))))
        FROM otel_traces_trace_id_ts
        WHERE TraceId IN (SELECT TraceId FROM candidates)
            AND Start >= toDateTime({earliest:UInt32}) AND Start <= toDateTime({latest:UInt32})
    ) AS stretch
SELECT
    TraceId AS SubjectId,
    toUnixTimestamp64Nano(min(Timestamp)) AS Began,
    toUnixTimestamp64Nano(max(Timestamp)) AS LastBegan,
    max(toUnixTimestamp64Nano(Timestamp) + toInt64(least(Duration, 86400000000000))) AS Ended,
    count() AS Spans,
    argMinIf(ConversationId, Timestamp, ConversationId != '') AS SessionId,
    sipHash64({seed:String}, TraceId) AS Draw
FROM otel_traces
WHERE Timestamp >= fromUnixTimestamp64Nano(stretch.1 * 1000000000)
    AND Timestamp < fromUnixTimestamp64Nano((stretch.2 + 1) * 1000000000)
    AND TraceId IN (SELECT TraceId FROM candidates)
GROUP BY TraceId
HAVING Ended >= {from:Int64} AND Ended < {until:Int64} AND (Ended, SubjectId) > ({after:Int64}, {after_id:String})
    AND argMin(ServiceName, (ParentSpanId != '', Timestamp)) != {judging:String}
/*conditions*/
ORDER BY Ended, SubjectId
LIMIT {limit:UInt32};

-- name: sessions_that_ended
-- The conversations whose last span ended in a stretch of time, after a place in the order of their ends. Their spans
-- are found by the index of conversations, over any time.
WITH
    ending AS
    (
/*ending*/
    ),
    candidates AS (SELECT DISTINCT Id AS SessionId FROM ending)
SELECT
    ConversationId AS SubjectId,
    toUnixTimestamp64Nano(min(Timestamp)) AS Began,
    toUnixTimestamp64Nano(max(Timestamp)) AS LastBegan,
    max(toUnixTimestamp64Nano(Timestamp) + toInt64(least(Duration, 86400000000000))) AS Ended,
    count() AS Spans,
    '' AS SessionId,
    sipHash64({seed:String}, ConversationId) AS Draw
FROM otel_traces
WHERE ConversationId IN (SELECT SessionId FROM candidates) AND ServiceName != {judging:String}
/*rows*/
GROUP BY ConversationId
HAVING Ended >= {from:Int64} AND Ended < {until:Int64} AND (Ended, SubjectId) > ({after:Int64}, {after_id:String})
ORDER BY Ended, SubjectId
LIMIT {limit:UInt32};
