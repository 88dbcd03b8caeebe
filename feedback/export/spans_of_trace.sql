-- All that is stored of the spans of one trace, found by its id within the stretch of time in which it lies. Maps come
-- as their keys and values, since a key may be in them twice. The stretch is open where a clock was before 1970 or after
-- 2106, which it cannot tell.
WITH
    (
        SELECT (toInt64(toUnixTimestamp(min(Start))), toInt64(toUnixTimestamp(max(End))))
        FROM otel_traces_trace_id_ts
        WHERE TraceId = {trace_id:String}
    ) AS stretch
SELECT
    TraceId,
    SpanId,
    ParentSpanId,
    TraceState,
    SpanName,
    SpanKind,
    toUnixTimestamp64Nano(Timestamp) AS Began,
    Duration,
    StatusCode,
    StatusMessage,
    mapKeys(ResourceAttributes) AS ResourceKeys,
    mapValues(ResourceAttributes) AS ResourceValues,
    ScopeName,
    ScopeVersion,
    mapKeys(SpanAttributes) AS Keys,
    mapValues(SpanAttributes) AS Values,
    arrayMap(at -> toUnixTimestamp64Nano(at), Events.Timestamp) AS EventTimes,
    Events.Name AS EventNames,
    arrayMap(attributes -> mapKeys(attributes), Events.Attributes) AS EventKeys,
    arrayMap(attributes -> mapValues(attributes), Events.Attributes) AS EventValues,
    Links.TraceId AS LinkTraceIds,
    Links.SpanId AS LinkSpanIds,
    Links.TraceState AS LinkTraceStates,
    arrayMap(attributes -> mapKeys(attributes), Links.Attributes) AS LinkKeys,
    arrayMap(attributes -> mapValues(attributes), Links.Attributes) AS LinkValues
FROM otel_traces
WHERE TraceId = {trace_id:String}
    AND (
        stretch.1 = 0 OR stretch.2 = 4294967295
        OR (
            Timestamp >= fromUnixTimestamp64Nano(stretch.1 * 1000000000)
            AND Timestamp < fromUnixTimestamp64Nano((stretch.2 + 1) * 1000000000)
        )
    )
ORDER BY Timestamp, SpanId
