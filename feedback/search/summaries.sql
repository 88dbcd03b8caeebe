-- name: newest_spans
-- The newest spans of a stretch of time for which a condition holds: the primary key is read from its end, and no
-- further than it takes. Each is a trace that a list may have to show.
SELECT TraceId, toUnixTimestamp64Nano(Timestamp) AS At
FROM otel_traces
WHERE Timestamp >= fromUnixTimestamp64Nano({from:Int64})
    AND (Timestamp, TraceId) < (fromUnixTimestamp64Nano({before:Int64}), {before_id:String})
/*condition*/
ORDER BY Timestamp DESC, TraceId DESC
LIMIT {limit:UInt32};

-- name: crossing_spans
-- Spans for which a condition holds and that came after a moment before which their trace began.
SELECT DISTINCT TraceId
FROM otel_traces
WHERE Timestamp >= fromUnixTimestamp64Nano({from:Int64}) AND Timestamp < fromUnixTimestamp64Nano({until:Int64})
    AND TraceId IN
    (
        SELECT TraceId
        FROM otel_traces_trace_id_ts
        WHERE Start >= toDateTime({earliest:UInt32}) AND Start <= toDateTime({latest:UInt32})
    )
/*condition*/
LIMIT 100000;

-- name: traces_by_sums
-- Traces by the sums of their model calls in a stretch of time, the newest first.
SELECT TraceId, toUnixTimestamp64Nano(min(Timestamp)) AS At
FROM genai_spans
WHERE ModelCall
    AND Timestamp >= fromUnixTimestamp64Nano({from:Int64}) AND Timestamp < fromUnixTimestamp64Nano({until:Int64})
GROUP BY TraceId
HAVING /*conditions*/
ORDER BY At DESC, TraceId DESC;

-- name: newest_assessed
-- Of the traces of which something may have been said that a filter asks for, the last to begin. Whoever corrects need
-- not say what was said before, so a trace with any correction may be one of them; the filter itself comes after.
-- Most granules have a row that fits each condition: to read what a condition needs before the rest only costs.
SELECT TraceId, max(toInt64(toUnixTimestamp(Start))) AS Second
FROM otel_traces_trace_id_ts
WHERE Start >= toDateTime({earliest:UInt32}) AND Start <= toDateTime({latest:UInt32})
/*conditions*/
GROUP BY TraceId
ORDER BY Second DESC, TraceId DESC
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
SETTINGS optimize_move_to_prewhere = 0;

-- name: touched_traces
-- Those of some traces of whose assessments any was corrected, overridden or taken back, or has its name from elsewhere.
SELECT TraceId FROM feedback_changes WHERE TraceId IN {trace_ids:Array(String)}
UNION DISTINCT
SELECT TraceId FROM feedback_state WHERE TraceId IN {trace_ids:Array(String)} AND (Overrides != '' OR Name = '');

-- name: last_said_of_traces
-- What was last said under each id of some traces, and whether it was corrected or taken back. Of the few rows the last
-- are sooner chosen here than by FINAL.
SELECT
    TraceId, AssessmentId, toUnixTimestamp64Nano(Timestamp) AS At, Name, Kind, Value, NumericValue, SourceType, SourceId,
    Rationale, Overrides,
    TraceId IN (SELECT TraceId FROM feedback_changes WHERE TraceId IN {trace_ids:Array(String)}) AS Changed
FROM feedback_state
WHERE TraceId IN {trace_ids:Array(String)}
ORDER BY Version DESC
LIMIT 1 BY TraceId, AssessmentId;

-- name: assessed_so
-- Which of some traces fulfil conditions on their valid assessments.
SELECT TraceId
FROM (SELECT arrayJoin({trace_ids:Array(String)}) AS TraceId)
WHERE true
/*conditions*/;

-- name: summaries
-- Some traces, each in a row, that fulfil a filter. The times at which the first and the last model call began are
-- where what was asked and answered is found if the root does not have it; those of the first calls to be read lead to
-- what they cost.
WITH (ParentSpanId != '', Timestamp) AS place
SELECT
    TraceId,
    toUnixTimestamp64Nano(min(Timestamp)) AS Began,
    argMin((SpanName, ServiceName, toInt64(Duration), StatusCode, ParentSpanId = '', toUnixTimestamp64Nano(Timestamp)), place) AS First,
    count() AS Spans,
    countIf(StatusCode = 'Error') AS Errors,
    countIf(GenAiModelCall) AS Calls,
    arraySort(groupUniqArrayIf(20)(toString(GenAiModel), GenAiModelCall AND GenAiModel != '')) AS Models,
    sumIf(GenAiTotalInputTokens, GenAiModelCall) AS InputTokens,
    sumIf(GenAiTotalOutputTokens, GenAiModelCall) AS OutputTokens,
    argMinIf(ConversationId, Timestamp, ConversationId != '') AS SessionId,
    argMinIf(UserId, Timestamp, UserId != '') AS User,
    toUnixTimestamp64Nano(minIf(Timestamp, GenAiModelCall)) AS FirstCall,
    toUnixTimestamp64Nano(maxIf(Timestamp, GenAiModelCall)) AS LastCall,
    groupArrayIf({call_moments:UInt64})(toUnixTimestamp64Nano(Timestamp), GenAiModelCall) AS CallMoments,
    toUnixTimestamp64Nano(max(Timestamp)) AS LastBegan
FROM otel_traces
WHERE TraceId IN {trace_ids:Array(String)}
    AND Timestamp >= fromUnixTimestamp64Nano({from:Int64}) AND Timestamp < fromUnixTimestamp64Nano({until:Int64})
GROUP BY TraceId
/*having*/;

-- name: contents_of_spans
-- What some spans took in and gave out, by their time; of a long text the end, where the last message is.
SELECT
    TraceId,
    toUnixTimestamp64Nano(Timestamp) AS At,
    ParentSpanId = '' AS Root,
    mapApply((name, value) -> (name, if(length(value) > 65536, right(value, 8192), value)),
        mapFilter((name, value) -> name IN {names:Array(String)}, SpanAttributes)) AS Contents
FROM otel_traces
WHERE TraceId IN {trace_ids:Array(String)}
    AND Timestamp IN (SELECT fromUnixTimestamp64Nano(arrayJoin({moments:Array(Int64)})));

-- name: cost_of_calls
-- What the model calls of some traces cost, by when the calls began: the primary key leads to each, where an index by
-- trace would be asked of all the time between them. NULL where it is not known.
SELECT TraceId, sum(spans.CostUsd) AS CostUsd
FROM genai_spans AS spans
WHERE ModelCall AND TraceId IN {trace_ids:Array(String)}
    AND Timestamp IN (SELECT fromUnixTimestamp64Nano(arrayJoin({moments:Array(Int64)})))
GROUP BY TraceId;

-- name: cost_of_traces
-- What the model calls of some traces cost; NULL where it is not known.
SELECT TraceId, sum(spans.CostUsd) AS CostUsd
FROM genai_spans AS spans
WHERE ModelCall AND TraceId IN {trace_ids:Array(String)}
    AND Timestamp >= fromUnixTimestamp64Nano({from:Int64}) AND Timestamp <= fromUnixTimestamp64Nano({until:Int64})
GROUP BY TraceId;

-- name: said_of_traces
-- The valid assessments of some traces, in the order of their making.
SELECT TraceId, AssessmentId, Name, Kind, Value, NumericValue, SourceType, SourceId, Rationale
FROM feedback
WHERE TraceId IN {trace_ids:Array(String)} AND Valid
ORDER BY CreatedAt, AssessmentId;

-- name: histogram_of_roots
-- Traces by when they began, with those that failed and those that a person found bad. A trace counts where its root is:
-- one whose root has not come is left out.
SELECT
    intDiv(toUnixTimestamp64Nano(Timestamp) - {from:Int64}, {width:Int64}) AS Bucket,
    count() AS Traces,
    countIf(StatusCode = 'Error') AS Errors,
    countIf(TraceId IN (
        SELECT TraceId FROM feedback
        WHERE Valid AND Kind = 'feedback' AND SourceType = 'HUMAN' AND NumericValue <= 0 AND TraceId != ''
            AND CreatedAt >= fromUnixTimestamp64Nano({from:Int64}))) AS Negative
FROM otel_traces
WHERE Timestamp >= fromUnixTimestamp64Nano({from:Int64}) AND Timestamp < fromUnixTimestamp64Nano({until:Int64})
    AND ParentSpanId = ''
/*conditions*/
GROUP BY Bucket
ORDER BY Bucket;

-- name: services_seen
-- The services of a stretch of time, by spans.
SELECT ServiceName AS Value, count() AS Number
FROM otel_traces
WHERE Timestamp >= fromUnixTimestamp64Nano({from:Int64}) AND Timestamp < fromUnixTimestamp64Nano({until:Int64})
GROUP BY Value
ORDER BY Number DESC, Value
LIMIT {limit:UInt32};

-- name: models_called
-- The models of a stretch of time, by calls, from the roll-up.
SELECT toString(Model) AS Value, sum(Calls) AS Number
FROM genai_usage_5m
WHERE Start >= toDateTime({earliest:UInt32}) AND Start <= toDateTime({latest:UInt32}) AND Model != ''
GROUP BY Value
ORDER BY Number DESC, Value
LIMIT {limit:UInt32};

-- name: feedback_named
-- The names under which something was said since a moment, by how often.
SELECT toString(Name) AS Value, count() AS Number
FROM feedback_state
WHERE Timestamp >= fromUnixTimestamp64Nano({from:Int64}) AND Name != '' AND Kind = 'feedback'
GROUP BY Value
ORDER BY Number DESC, Value
LIMIT {limit:UInt32};
