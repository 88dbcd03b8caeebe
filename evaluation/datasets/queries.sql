-- name: dataset_columns
-- What is read of a dataset.
DatasetId,
Name,
Description,
Tags,
toUnixTimestamp64Milli(CreatedAt) AS CreatedMs;

-- name: dataset
SELECT
    /*columns*/
FROM datasets FINAL
WHERE DatasetId = {dataset_id:String} AND NOT Deleted;

-- name: dataset_by_name
-- Of two that were made at the same moment by two servers, the elder.
SELECT
    /*columns*/
FROM datasets FINAL
WHERE Name = {name:String} AND NOT Deleted
ORDER BY CreatedAt, DatasetId
LIMIT 1;

-- name: datasets
-- Datasets whose name contains a text and that have some tags, the newest first.
SELECT
    /*columns*/
FROM datasets FINAL
WHERE NOT Deleted
    AND (CreatedMs, DatasetId) < ({before:Int64}, {before_id:String})
    AND positionCaseInsensitiveUTF8(Name, {name:String}) > 0
    AND arrayAll((tag, value) -> Tags[tag] = value AND mapContains(Tags, tag), {tags:Array(String)}, {values:Array(String)})
ORDER BY CreatedMs DESC, DatasetId DESC
LIMIT {limit:UInt32};

-- name: version_columns
-- What is read of a version.
DatasetId,
Version,
Records,
Added,
Changed,
Removed,
Note,
toUnixTimestamp64Milli(CreatedAt) AS CreatedMs,
ChangedBy;

-- name: dataset_heads
-- The latest version of some datasets.
SELECT
    /*columns*/
FROM dataset_versions FINAL
WHERE DatasetId IN {dataset_ids:Array(String)}
ORDER BY DatasetId, Version DESC
LIMIT 1 BY DatasetId;

-- name: dataset_versions
-- The versions of a dataset from one on, the newest first.
SELECT
    /*columns*/
FROM dataset_versions FINAL
WHERE DatasetId = {dataset_id:String} AND Version <= {up_to:UInt32}
ORDER BY Version DESC
LIMIT {limit:UInt32};

-- name: record_columns
-- What is read of a record.
RecordId,
Version,
Inputs,
Outputs,
Expectations,
Tags,
TraceId,
SpanId,
SessionId,
Labels.Expectation AS LabelNames,
Labels.Rule AS LabelRules,
Labels.TraceId AS LabelTraceIds,
Labels.AssessmentIds AS LabelAssessmentIds,
Labels.SourceIds AS LabelSourceIds,
Labels.LabelingSessionId AS LabelSessionIds,
Labels.LabelSchemaVersion AS LabelVersions,
File,
Position;

-- name: merges_up_to
-- The merges that made a version, and those before it.
SELECT Version, MergeId
FROM dataset_versions FINAL
WHERE DatasetId = {dataset_id:String} AND Version <= {version:UInt32};

-- name: records_page
-- The records of a version behind a place, in their order. What is large is read of those alone that are answered.
WITH states AS
(
    SELECT RecordId, Version, MergeId, Position, Deleted
    FROM dataset_records
    WHERE DatasetId = {dataset_id:String} AND (Version, MergeId) IN (/*merges*/)
    ORDER BY RecordId, Version DESC
    LIMIT 1 BY RecordId
)
SELECT
    /*columns*/
FROM dataset_records
WHERE DatasetId = {dataset_id:String} AND (RecordId, Version, MergeId) IN
(
    SELECT RecordId, Version, MergeId
    FROM states
    WHERE NOT Deleted AND (Position, RecordId) > ({after:UInt64}, {after_id:String})
    ORDER BY Position, RecordId
    LIMIT {limit:UInt32}
)
ORDER BY Position, RecordId
LIMIT 1 BY RecordId;

-- name: records_by_id
-- Some records of a version.
SELECT *
FROM
(
    SELECT
        /*columns*/,
        Deleted
    FROM dataset_records
    WHERE DatasetId = {dataset_id:String} AND RecordId IN {record_ids:Array(String)}
        AND (Version, MergeId) IN (/*merges*/)
    ORDER BY RecordId, Version DESC
    LIMIT 1 BY RecordId
)
WHERE NOT Deleted;

-- name: traces_of_records
-- The traces of the records of a version, and how many records have none.
WITH states AS
(
    SELECT TraceId, SpanId, Position, RecordId, Version, Deleted
    FROM dataset_records
    WHERE DatasetId = {dataset_id:String} AND (Version, MergeId) IN (/*merges*/)
    ORDER BY RecordId, Version DESC
    LIMIT 1 BY RecordId
)
SELECT TraceId, SpanId
FROM states
WHERE NOT Deleted
ORDER BY Position, RecordId;

-- name: dataset_difference
-- The records that differ between two versions, in the order of their ids behind one of them.
SELECT RecordId, Before, After
FROM
(
    SELECT
        RecordId,
        argMaxIf((Digest, Deleted), Version, Version <= {from:UInt32}) AS Earlier,
        argMaxIf((Digest, Deleted), Version, Version <= {to:UInt32}) AS Later,
        countIf(Version <= {from:UInt32}) > 0 AND NOT Earlier.2 AS Before,
        countIf(Version <= {to:UInt32}) > 0 AND NOT Later.2 AS After,
        Before != After OR (Before AND Earlier.1 != Later.1) AS Differs
    FROM dataset_records
    WHERE DatasetId = {dataset_id:String}
        AND (Version, MergeId) IN
        (
            SELECT Version, MergeId
            FROM dataset_versions FINAL
            WHERE DatasetId = {dataset_id:String} AND Version <= greatest({from:UInt32}, {to:UInt32})
        )
    GROUP BY RecordId
)
WHERE Differs AND RecordId > {after_id:String}
ORDER BY RecordId
LIMIT {limit:UInt32};

-- name: dataset_difference_counts
-- How many records are new, changed and gone between two versions.
SELECT
    countIf(After AND NOT Before) AS Added,
    countIf(After AND Before) AS Changed,
    countIf(Before AND NOT After) AS Removed
FROM
(
    /*difference*/
);

-- name: upload_page
-- What was sent of some records, in the order of their ids behind one of them. Which these are is read first: what was
-- sent is large.
WITH
    (
        SELECT max(RecordId)
        FROM
        (
            SELECT DISTINCT RecordId
            FROM dataset_uploads
            WHERE UploadId = {upload_id:String} AND RecordId > {after_id:String}
            ORDER BY RecordId
            LIMIT {limit:UInt32}
        )
    ) AS last
SELECT
    RecordId,
    min(Number) AS First,
    arrayMap(each -> each.2, arraySort(groupArray((Number, Given)))) AS Pieces
FROM dataset_uploads FINAL
WHERE UploadId = {upload_id:String} AND RecordId > {after_id:String} AND RecordId <= last
GROUP BY RecordId
ORDER BY RecordId;

-- name: contents_of_traces
-- The first spans of some traces, or some of their spans: what went in and out, of several names the first that is there.
WITH
    (
        SELECT (toInt64(toUnixTimestamp(min(Start))), toInt64(toUnixTimestamp(max(End))))
        FROM otel_traces_trace_id_ts
        WHERE TraceId IN {trace_ids:Array(String)}
    ) AS stretch,
    firsts AS
    (
        SELECT
            TraceId,
            argMin((Timestamp, SpanId), (ParentSpanId != '', Timestamp, SpanId)) AS First,
            anyIf(ConversationId, ConversationId != '') AS Conversation
        FROM otel_traces
        WHERE TraceId IN {trace_ids:Array(String)}
            AND Timestamp >= fromUnixTimestamp64Nano(stretch.1 * 1000000000)
            AND Timestamp < fromUnixTimestamp64Nano((stretch.2 + 1) * 1000000000)
        GROUP BY TraceId
    ),
    arrayZip({span_trace_ids:Array(String)}, {span_ids:Array(String)}) AS spans
SELECT
    spans_of.TraceId AS TraceId,
    spans_of.SpanId AS SpanId,
    (spans_of.Timestamp, spans_of.SpanId) = firsts.First AS IsFirst,
    firsts.Conversation AS SessionId,
    arrayFirst(text -> text != '', arrayMap(name -> SpanAttributes[name], {inputs:Array(String)})) AS Inputs,
    arrayFirst(text -> text != '', arrayMap(name -> SpanAttributes[name], {outputs:Array(String)})) AS Outputs,
    mapFilter((name, text) -> startsWith(name, {tag:String}), SpanAttributes) AS Tags
FROM otel_traces AS spans_of
INNER JOIN firsts ON firsts.TraceId = spans_of.TraceId
WHERE spans_of.TraceId IN {trace_ids:Array(String)}
    AND spans_of.Timestamp >= fromUnixTimestamp64Nano(stretch.1 * 1000000000)
    AND spans_of.Timestamp < fromUnixTimestamp64Nano((stretch.2 + 1) * 1000000000)
    AND (
        (spans_of.TraceId, spans_of.Timestamp, spans_of.SpanId) IN (SELECT TraceId, First.1, First.2 FROM firsts)
        OR has(spans, (spans_of.TraceId, spans_of.SpanId))
    );

-- name: labelled_of_session
-- The traces and spans of a labeling session of which an expectation was said in it.
SELECT DISTINCT TraceId, SpanId
FROM feedback
WHERE TraceId IN (SELECT TraceId FROM labeling_items FINAL WHERE SessionId = {session_id:String} AND NOT Deleted)
    AND LabelingSessionId = {session_id:String}
    AND Kind = 'expectation'
    AND Valid
    AND TraceId != ''
ORDER BY TraceId, SpanId;

-- name: labelled_conversations
-- How many conversations have an expectation in a labeling session.
SELECT uniqExact(SessionId) AS Conversations
FROM feedback
WHERE TraceId = '' AND LabelingSessionId = {session_id:String} AND Kind = 'expectation' AND Valid;
