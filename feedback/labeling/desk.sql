-- name: desk_items
-- The items of a session, in their order.
SELECT ItemId, Kind, TraceId, SpanId, ConversationId, Reason, Position
FROM labeling_items FINAL
WHERE SessionId = {session_id:String} AND NOT Deleted
ORDER BY Position, ItemId;

-- name: desk_items_since
-- What was added or removed since a moment, in nanoseconds; of an item there may be several rows.
SELECT ItemId, Kind, TraceId, SpanId, ConversationId, Reason, Position, Deleted
FROM labeling_items
WHERE SessionId = {session_id:String} AND Written >= {since:UInt64}
ORDER BY Written, Position;

-- name: columns_of_desk_work
-- What is read of a reviewer's work on an item. Drafts are read when they are asked for; here is only whether one is being
-- handed in, and whether there is none.
    ItemId,
    Reviewer,
    State,
    toUnixTimestamp64Milli(LeasedAt),
    toUnixTimestamp64Milli(LeaseUntil),
    Flag,
    Seconds,
    Written,
    JSONExtractUInt(Draft, 'submitted_ns') > 0,
    Draft IN ('', '{}');

-- name: desk_work
-- What all reviewers of a session have done.
SELECT
/*columns*/
FROM labeling_work FINAL
WHERE SessionId = {session_id:String};

-- name: desk_work_since
-- The same of what was written since a moment, in nanoseconds; of a reviewer's work on an item there may be several rows.
SELECT
/*columns*/
FROM labeling_work
WHERE SessionId = {session_id:String} AND Written >= {since:UInt64}
ORDER BY Written;

-- name: desk_work_of_item
-- The same of one item.
SELECT
/*columns*/
FROM labeling_work FINAL
WHERE SessionId = {session_id:String} AND ItemId = {item_id:String};

-- name: desk_draft
-- What a reviewer has written of an item.
SELECT Draft
FROM labeling_work FINAL
WHERE SessionId = {session_id:String} AND ItemId = {item_id:String} AND Reviewer = {reviewer:String};
