-- Who may do what only one may do at a time. A row is taken by an insert whose deduplication token is Name and Term: of
-- several who insert the same term the first one's row stays, and all of them read who that is. A term that has run out
-- (Until, which its holder may extend in evaluation_lease_terms) is followed by the next. Rows are kept: a term that was
-- forgotten would be given again, and its token is spent.
CREATE TABLE IF NOT EXISTS evaluation_leases /*ON CLUSTER*/
(
    Name    String CODEC(ZSTD(1)),
    Term    UInt64 CODEC(ZSTD(1)),
    Holder  String CODEC(ZSTD(1)),
    TakenAt DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(ZSTD(1)),
    Until   DateTime64(3, 'UTC') CODEC(ZSTD(1))
)
ENGINE = /*Replicated*/MergeTree
ORDER BY (Name, Term)
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
