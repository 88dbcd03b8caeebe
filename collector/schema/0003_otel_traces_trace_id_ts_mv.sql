-- DateTime ends in 2106 and begins in 1970; spans may carry any time.
CREATE MATERIALIZED VIEW IF NOT EXISTS otel_traces_trace_id_ts_mv /*ON CLUSTER*/ TO otel_traces_trace_id_ts AS
WITH t -> toDateTime(least(greatest(toInt64(toUnixTimestamp64Second(t)), 0), 4294967295)) AS seconds
SELECT
    TraceId,
    seconds(min(Timestamp)) AS Start,
    seconds(max(Timestamp)) AS End
FROM otel_traces
WHERE TraceId != ''
GROUP BY TraceId;
