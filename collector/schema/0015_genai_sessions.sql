-- A row a conversation: all spans with one gen_ai.conversation.id (or session.id), over any number of traces.
-- Spans without one belong to no session. UserId is the first that was named, ServiceName where it began, Errors
-- the model calls that failed.
--
-- CostUsd is the sum of the costs that are known, NULL where none is. UnpricedCalls counts the calls that
-- succeeded and whose cost is not known: 0 means that CostUsd is complete.
--
-- One session is found by an index. Start and End are known only once a session has been put together, so a
-- question about a time should first name the sessions that were active in it:
--     SELECT * FROM genai_sessions WHERE SessionId IN (
--         SELECT DISTINCT ConversationId FROM otel_traces WHERE Timestamp > now() - INTERVAL 1 HOUR)
CREATE VIEW IF NOT EXISTS genai_sessions /*ON CLUSTER*/ AS
SELECT
    ConversationId AS SessionId,
    argMinIf(spans.UserId, Timestamp, spans.UserId != '') AS UserId,
    argMin(spans.ServiceName, Timestamp) AS ServiceName,
    min(Timestamp) AS Start,
    max(addNanoseconds(Timestamp, toInt64(DurationMs * 1000000))) AS End,
    uniqExact(TraceId) AS Traces,
    countIf(ModelCall) AS Calls,
    sumIf(spans.InputTokens, ModelCall) AS InputTokens,
    sumIf(spans.OutputTokens, ModelCall) AS OutputTokens,
    sum(spans.CostUsd) AS CostUsd,
    countIf(ModelCall AND StatusCode = 'Error') AS Errors,
    countIf(ModelCall AND StatusCode != 'Error' AND spans.CostUsd IS NULL) AS UnpricedCalls
FROM genai_spans AS spans
WHERE ConversationId != ''
GROUP BY ConversationId;
