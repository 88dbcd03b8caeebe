-- DateTime ends in 2106 and begins in 1970; spans may carry any time.
CREATE MATERIALIZED VIEW IF NOT EXISTS otel_roots_5m_mv /*ON CLUSTER*/ TO otel_roots_5m AS
WITH least(greatest(toUnixTimestamp64Second(Timestamp), 0), 4294967295) AS seconds
SELECT
    toDateTime(intDiv(seconds, 300) * 300) AS Start,
    ServiceName,
    count() AS Traces,
    countIf(StatusCode = 'Error') AS Errors
FROM otel_traces
WHERE ParentSpanId = '' AND TraceId != ''
GROUP BY Start, ServiceName;
