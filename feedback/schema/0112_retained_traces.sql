-- Traces that outlive raw traffic (--retention-traces): those of which a person said something or somebody what is
-- expected, as long as it is not retracted; and those of a conversation of which that was said as a whole.
CREATE VIEW IF NOT EXISTS retained_traces /*ON CLUSTER*/ AS
WITH said AS
(
    SELECT TraceId, SessionId
    FROM feedback
    WHERE SourceType = 'HUMAN' OR Kind = 'expectation'
)
SELECT DISTINCT TraceId
FROM
(
    SELECT TraceId FROM said WHERE TraceId != ''
    UNION ALL
    SELECT TraceId
    FROM otel_traces
    WHERE ConversationId IN (SELECT SessionId FROM said WHERE TraceId = '' AND SessionId != '')
);
