-- What is shown of some traces to who reads them: the root, the model calls, the tools and the searches, in their order.
-- Of a text that is too long, the end.
WITH
    (
        SELECT (toInt64(toUnixTimestamp(min(Start))), toInt64(toUnixTimestamp(max(End))))
        FROM otel_traces_trace_id_ts
        WHERE TraceId IN {trace_ids:Array(String)}
    ) AS stretch
SELECT
    TraceId,
    SpanId,
    ParentSpanId = '' AS Root,
    SpanName,
    toUnixTimestamp64Nano(Timestamp) AS Began,
    StatusCode,
    GenAiModelCall AS ModelCall,
    GenAiOperation = 'execute_tool' OR SpanAttributes['hansei.span.type'] = 'TOOL'
        OR SpanAttributes['openinference.span.kind'] = 'TOOL' AS Tool,
    mapApply(
        (name, value) -> (name, if(length(value) > 1048576, rightUTF8(value, 65536), value)),
        mapFilter((name, value) -> name NOT IN ('gen_ai.system_instructions', 'gen_ai.tool.definitions'), SpanAttributes)
    ) AS Attributes
FROM otel_traces
WHERE TraceId IN {trace_ids:Array(String)}
    AND (
        stretch.1 = 0 OR stretch.2 = 4294967295
        OR (
            Timestamp >= fromUnixTimestamp64Nano(stretch.1 * 1000000000)
            AND Timestamp < fromUnixTimestamp64Nano((stretch.2 + 1) * 1000000000)
        )
    )
    AND (
        Root OR ModelCall OR Tool
        OR GenAiOperation = 'retrieval'
        OR SpanAttributes['hansei.span.type'] = 'RETRIEVER'
        OR SpanAttributes['openinference.span.kind'] = 'RETRIEVER'
        OR SpanId = {span_id:String}
    )
ORDER BY Timestamp, SpanId
LIMIT 200 BY TraceId;
