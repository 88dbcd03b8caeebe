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

-- name: labeling_session
SELECT
    SessionId,
    Name,
    RunId,
    LabelSchemas.Name AS SchemaNames,
    LabelSchemas.Version AS SchemaVersions,
    Settings,
    Status,
    toUnixTimestamp64Milli(CreatedAt) AS CreatedMs
FROM labeling_sessions FINAL
WHERE SessionId = {session_id:String} AND NOT Deleted;

-- name: labeling_session_by_name
-- Of two that were made at the same moment by two servers, the elder.
SELECT
    SessionId,
    Name,
    RunId,
    LabelSchemas.Name AS SchemaNames,
    LabelSchemas.Version AS SchemaVersions,
    Settings,
    Status,
    toUnixTimestamp64Milli(CreatedAt) AS CreatedMs
FROM labeling_sessions FINAL
WHERE Name = {name:String} AND NOT Deleted
ORDER BY CreatedAt, SessionId
LIMIT 1;

-- name: labeling_sessions
SELECT
    SessionId,
    Name,
    RunId,
    LabelSchemas.Name AS SchemaNames,
    LabelSchemas.Version AS SchemaVersions,
    Settings,
    Status,
    toUnixTimestamp64Milli(CreatedAt) AS CreatedMs
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

-- name: labeling_reviewer_by_link
-- The keys of the rows that ever had the link come from the index over it; what each row is now is then looked up, so that
-- a link that was replaced or taken back is not found, and neither is one of a session that is gone.
SELECT SessionId, Reviewer, Role, LinkHash, toUnixTimestamp64Milli(ExpiresAt) AS ExpiresMs
FROM labeling_reviewers FINAL
WHERE (SessionId, Reviewer) IN (SELECT SessionId, Reviewer FROM labeling_reviewers WHERE LinkHash = {link_hash:String})
    AND LinkHash = {link_hash:String}
    AND NOT Deleted
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
