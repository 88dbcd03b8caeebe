-- From a user to the granules with their spans. Unlike the indexes by trace and conversation it is built when parts are
-- merged: the newest parts are small enough to be read.
ALTER TABLE otel_traces /*ON CLUSTER*/
    ADD INDEX IF NOT EXISTS idx_user_id UserId TYPE bloom_filter(0.001) GRANULARITY 4;
