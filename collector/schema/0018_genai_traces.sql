-- A row a trace: what its root says, or its earliest span where the root has not come (Complete is false), and the sums of
-- its spans. CostUsd is the sum of the costs that are known, NULL where none is.
--
-- One trace is found by an index. Of a time, first name the traces that had a span in it:
--     SELECT * FROM genai_traces WHERE TraceId IN (
--         SELECT TraceId FROM otel_traces WHERE Timestamp > now() - INTERVAL 10 MINUTE) ORDER BY Start DESC
CREATE VIEW IF NOT EXISTS genai_traces /*ON CLUSTER*/ AS
WITH (ParentSpanId != '', Timestamp) AS place
SELECT
    TraceId,
    argMin(spans.SpanName, place) AS Name,
    argMin(spans.ServiceName, place) AS ServiceName,
    min(Timestamp) AS Start,
    argMin(spans.DurationMs, place) AS DurationMs,
    argMin(spans.StatusCode, place) AS StatusCode,
    countIf(ParentSpanId = '') > 0 AS Complete,
    count() AS Spans,
    countIf(spans.StatusCode = 'Error') AS Errors,
    countIf(ModelCall) AS Calls,
    arraySort(groupUniqArrayIf(spans.Model, ModelCall AND spans.Model != '')) AS Models,
    sumIf(spans.InputTokens, ModelCall) AS InputTokens,
    sumIf(spans.OutputTokens, ModelCall) AS OutputTokens,
    sum(spans.CostUsd) AS CostUsd,
    argMinIf(spans.ConversationId, Timestamp, spans.ConversationId != '') AS ConversationId,
    argMinIf(spans.UserId, Timestamp, spans.UserId != '') AS UserId
FROM genai_spans AS spans
WHERE TraceId != ''
GROUP BY TraceId;
