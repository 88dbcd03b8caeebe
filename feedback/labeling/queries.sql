-- name: label_schema_versions
-- All versions of some label schemas, also deleted ones: a session keeps the version that it began with.
SELECT Name, Version, Type, Input, Title, Instruction, EnableComment, Deleted
FROM label_schemas FINAL
WHERE Name IN {names:Array(String)};

-- name: latest_label_schemas
-- The latest version of each label schema, deleted or not.
SELECT Name, Version, Type, Input, Title, Instruction, EnableComment, Deleted
FROM label_schemas FINAL
WHERE {all:Bool} OR Name IN {names:Array(String)}
ORDER BY Name, Version DESC
LIMIT 1 BY Name;

-- name: label_schema_was_used
-- Whether an answer to a label schema was ever handed in: in a session that asks it, deleted ones too.
SELECT 1
FROM labeling_work FINAL
WHERE State = 'done'
    AND SessionId IN (SELECT SessionId FROM labeling_sessions FINAL WHERE has(LabelSchemas.Name, {name:String}))
LIMIT 1;

-- name: columns_of_labeling_sessions
-- What is read of a session.
    SessionId,
    Name,
    RunId,
    LabelSchemas.Name AS SchemaNames,
    LabelSchemas.Version AS SchemaVersions,
    Settings,
    Status,
    toUnixTimestamp64Milli(CreatedAt) AS CreatedMs;

-- name: labeling_session
SELECT
/*columns*/
FROM labeling_sessions FINAL
WHERE SessionId = {session_id:String} AND NOT Deleted;

-- name: labeling_session_by_name
-- Of two that were made at the same moment by two servers, the elder.
SELECT
/*columns*/
FROM labeling_sessions FINAL
WHERE Name = {name:String} AND NOT Deleted
ORDER BY CreatedAt, SessionId
LIMIT 1;

-- name: labeling_sessions
SELECT
/*columns*/
FROM labeling_sessions FINAL
WHERE NOT Deleted
ORDER BY CreatedMs DESC, SessionId DESC;

-- name: labeling_items
SELECT ItemId, Kind, TraceId, SpanId, ConversationId, Reason, Position
FROM labeling_items FINAL
WHERE SessionId = {session_id:String} AND NOT Deleted
ORDER BY Position, ItemId;

-- name: labeling_item
SELECT ItemId, Kind, TraceId, SpanId, ConversationId, Reason, Position
FROM labeling_items FINAL
WHERE SessionId = {session_id:String} AND ItemId = {item_id:String} AND NOT Deleted;

-- name: labeling_reviewers
SELECT SessionId, Reviewer, Role, LinkHash, toUnixTimestamp64Milli(ExpiresAt) AS ExpiresMs
FROM labeling_reviewers FINAL
WHERE SessionId = {session_id:String} AND NOT Deleted
ORDER BY Reviewer;

-- name: labeling_reviewers_of_sessions
SELECT SessionId, Reviewer, Role, LinkHash, toUnixTimestamp64Milli(ExpiresAt) AS ExpiresMs
FROM labeling_reviewers FINAL
WHERE SessionId IN {session_ids:Array(String)} AND NOT Deleted
ORDER BY SessionId, Reviewer;

-- name: labeling_reviewer_by_link
-- The keys of the rows that ever had the link come from the index over it. What each row is now is then told by its latest
-- version, without FINAL, which may leave out what an index leaves out: so a link that was replaced or taken back is not
-- found, and neither is one of a session that is gone.
SELECT
    SessionId,
    Reviewer,
    argMax(Role, Written) AS Role,
    argMax(LinkHash, Written) AS LinkHash,
    toUnixTimestamp64Milli(argMax(ExpiresAt, Written)) AS ExpiresMs
FROM labeling_reviewers AS rows
WHERE (SessionId, Reviewer) IN (SELECT SessionId, Reviewer FROM labeling_reviewers WHERE LinkHash = {link_hash:String})
GROUP BY SessionId, Reviewer
HAVING argMax(rows.LinkHash, Written) = {link_hash:String}
    AND NOT argMax(Deleted, Written)
    AND SessionId IN (SELECT SessionId FROM labeling_sessions FINAL WHERE NOT Deleted)
LIMIT 1;

-- name: labeling_work
SELECT
    ItemId,
    Reviewer,
    State,
    toUnixTimestamp64Milli(LeasedAt) AS LeasedMs,
    toUnixTimestamp64Milli(LeaseUntil) AS LeaseUntilMs,
    Draft,
    Flag,
    Seconds,
    Written
FROM labeling_work FINAL
WHERE SessionId = {session_id:String};

-- name: labeling_items_before
-- What was ever an item of a session, also what was removed.
SELECT ItemId, Deleted
FROM labeling_items FINAL
WHERE SessionId = {session_id:String};

-- name: labeling_items_unknown
-- How many of the items that were written from a moment on have not come yet: no span of the trace, not that span, no span
-- of the conversation.
WITH items AS
(
    SELECT Kind, TraceId, SpanId, ConversationId
    FROM labeling_items
    WHERE SessionId = {session_id:String} AND Written >= {from:UInt64} AND NOT Deleted
)
SELECT
    countIf(Kind = 'trace' AND TraceId NOT IN (
        SELECT TraceId FROM otel_traces_trace_id_ts WHERE TraceId IN (SELECT TraceId FROM items WHERE Kind = 'trace')
    ))
    + countIf(Kind = 'span' AND (TraceId, SpanId) NOT IN (
        SELECT TraceId, SpanId FROM otel_traces
        WHERE TraceId IN (SELECT TraceId FROM items WHERE Kind = 'span')
            AND SpanId IN (SELECT SpanId FROM items WHERE Kind = 'span')
    ))
    + countIf(Kind = 'session' AND ConversationId NOT IN (
        SELECT ConversationId FROM otel_traces
        WHERE ConversationId IN (SELECT ConversationId FROM items WHERE Kind = 'session')
    )) AS Unknown
FROM items;

-- name: labeling_items_page
-- Items of a session, in their order, from behind one of them.
SELECT ItemId, Kind, TraceId, SpanId, ConversationId, Reason, Position
FROM labeling_items FINAL
WHERE SessionId = {session_id:String} AND NOT Deleted AND (Position, ItemId) > ({after:UInt64}, {after_id:String})
ORDER BY Position, ItemId
LIMIT {limit:UInt32};

-- name: labeling_progress
-- How far a session is. An item is done once as many reviewers as are asked for have answered it; what arbiters do comes on
-- top. A lease that has run out is no work.
WITH work AS
(
    SELECT
        ItemId,
        countIf(State = 'done') AS Done,
        countIf(State = 'leased' AND toUnixTimestamp64Milli(LeaseUntil) > {now:Int64}) AS InWork,
        countIf(State = 'skipped') AS Skipped,
        countIf(Flag != '') AS Flagged
    FROM labeling_work FINAL
    WHERE SessionId = {session_id:String}
        AND Reviewer NOT IN (
            SELECT Reviewer FROM labeling_reviewers FINAL WHERE SessionId = {session_id:String} AND Role = 'arbiter'
        )
    GROUP BY ItemId
)
SELECT
    count() AS Items,
    countIf(work.Done >= {wanted:UInt32}) AS Done,
    countIf(work.Done < {wanted:UInt32} AND work.Done > 0) AS Begun,
    countIf(work.InWork > 0) AS InWork,
    countIf(work.Skipped > 0) AS Skipped,
    countIf(work.Flagged > 0) AS Flagged,
    sum(work.Done) AS Answers,
    sum(greatest(0, {wanted:Int64} - toInt64(work.Done))) AS Remaining
FROM (SELECT ItemId FROM labeling_items FINAL WHERE SessionId = {session_id:String} AND NOT Deleted) AS items
LEFT JOIN work ON work.ItemId = items.ItemId;

-- name: labeling_progress_of_reviewers
-- What each has done, and the median of the seconds that an answered item took; of items that are still there.
SELECT
    Reviewer,
    countIf(State = 'done') AS Done,
    countIf(State = 'leased' AND toUnixTimestamp64Milli(LeaseUntil) > {now:Int64}) AS InWork,
    countIf(State = 'skipped') AS Skipped,
    countIf(Flag != '') AS Flagged,
    quantileExactIf(0.5)(Seconds, State = 'done' AND Seconds > 0) AS MedianSeconds,
    countIf(State = 'done' AND Seconds > 0) AS Timed,
    toUnixTimestamp64Milli(max(LeasedAt)) AS LastMs
FROM labeling_work FINAL
WHERE SessionId = {session_id:String}
    AND ItemId IN (SELECT ItemId FROM labeling_items FINAL WHERE SessionId = {session_id:String} AND NOT Deleted)
GROUP BY Reviewer
ORDER BY Reviewer;

-- name: labeling_median_seconds
-- The median of the seconds that an answered item took, of reviewers alone, and of how many.
SELECT quantileExact(0.5)(Seconds) AS MedianSeconds, count() AS Timed
FROM labeling_work FINAL
WHERE SessionId = {session_id:String} AND State = 'done' AND Seconds > 0
    AND Reviewer NOT IN (
        SELECT Reviewer FROM labeling_reviewers FINAL WHERE SessionId = {session_id:String} AND Role = 'arbiter'
    );

-- name: labeling_counts
-- The items and the finished answers of all sessions, or of some.
SELECT SessionId, sum(Items) AS Items, sum(Answers) AS Answers
FROM
(
    SELECT SessionId, count() AS Items, 0 AS Answers
    FROM labeling_items FINAL
    WHERE ({all:Bool} OR SessionId IN {session_ids:Array(String)}) AND NOT Deleted
    GROUP BY SessionId
    UNION ALL
    SELECT SessionId, 0 AS Items, countIf(State = 'done') AS Answers
    FROM labeling_work FINAL
    WHERE ({all:Bool} OR SessionId IN {session_ids:Array(String)})
    GROUP BY SessionId
)
GROUP BY SessionId;
