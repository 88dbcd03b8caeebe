-- From gen_ai.evaluation.result events, whoever sends them, to the ledger. What the GenAI conventions have a name for
-- is read under it; hansei.assessment.* is what they lack, and may be missing.
CREATE MATERIALIZED VIEW IF NOT EXISTS feedback_events_mv /*ON CLUSTER*/ TO feedback_events AS
WITH
    key -> LogAttributes[key] AS attribute,
    key -> attribute(concat('hansei.assessment.', key)) AS own,
    (first, second) -> if(first != '', first, second) AS either,
    toFloat64OrNull(attribute('gen_ai.evaluation.score.value')) AS score,
    attribute('gen_ai.evaluation.score.label') AS label,
    own('value') AS said,
    upper(either(own('source.type'), attribute('gen_ai.evaluation.evaluator.type'))) AS source,
    own('correction') = 'true' OR own('deleted') = 'true' AS change,
    Correction = 0 AND Deleted = 0 AND own('id') = '' AS anonymous
SELECT
    Timestamp,
    TraceId,
    -- An event that names no assessment is one of its own.
    if(own('id') != '', own('id'), concat('e-', lower(hex(sipHash128(
        TraceId, SpanId, SessionId, Kind, Name, SourceType, SourceId, Timestamp, Value, Error, ResponseId))))) AS AssessmentId,
    bitOr(
        bitShiftLeft(toUInt128(reinterpretAsUInt64(toUnixTimestamp64Nano(Timestamp))), 64),
        toUInt128(sipHash64(SpanId, ServiceName, toString(LogAttributes)))) AS Version,
    own('correction') = 'true' AND Deleted = 0 AS Correction,
    own('deleted') = 'true' AS Deleted,
    SpanId,
    either(attribute('gen_ai.conversation.id'), attribute('session.id')) AS SessionId,
    if(lower(own('kind')) = 'expectation', 'expectation', 'feedback') AS Kind,
    attribute('gen_ai.evaluation.name') AS Name,
    multiIf(
        said != '' AND isValidJSON(said), said,
        said != '', toJSONString(said),
        label != '', toJSONString(label),
        isFinite(score), attribute('gen_ai.evaluation.score.value'),
        'null') AS Value,
    multiIf(
        Value = 'true', 1,
        Value = 'false', 0,
        isFinite(toFloat64OrNull(Value)), toFloat64OrNull(Value),
        isFinite(score), score,
        NULL) AS NumericValue,
    attribute('gen_ai.evaluation.explanation') AS Rationale,
    multiIf(
        source IN ('HUMAN', 'LLM_JUDGE', 'CODE'), source,
        change, '',
        'CODE') AS SourceType,
    either(either(own('source.id'), attribute('gen_ai.evaluation.evaluator.id')), if(change, '', 'default')) AS SourceId,
    JSONExtract(own('metadata'), 'Map(LowCardinality(String), String)') AS Metadata,
    either(own('error.message'), ErrorCode) AS Error,
    either(own('error.code'), attribute('error.type')) AS ErrorCode,
    own('overrides') AS Overrides,
    own('labeling_session.id') AS LabelingSessionId,
    own('evaluation_run.id') AS EvaluationRunId,
    attribute('gen_ai.response.id') AS ResponseId,
    ServiceName
FROM otel_logs
-- SDKs from before events had a name of their own put it among the attributes.
WHERE EventName = 'gen_ai.evaluation.result'
    OR (EventName = '' AND LogAttributes['event.name'] = 'gen_ai.evaluation.result');
