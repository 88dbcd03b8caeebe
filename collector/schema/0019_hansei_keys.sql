-- The keys that `hansei keys create --clickhouse` made, for every collector in front of the server. The embedded engine
-- leaves it empty: its keys are in a file. Secrets are not here, but whoever can read Sha256 can sign as the key does:
--     REVOKE SELECT ON hansei_keys FROM readers
-- A revoked key is a second row, whose Version is higher: whatever clocks say, it wins.
CREATE TABLE IF NOT EXISTS hansei_keys /*ON CLUSTER*/
(
    KeyId     String,
    Name      String,
    Roles     Array(LowCardinality(String)),
    Sha256    String COMMENT 'of the whole key, hexadecimal',
    CreatedAt DateTime('UTC'),
    ExpiresAt Nullable(DateTime('UTC')),
    RevokedAt Nullable(DateTime('UTC')),
    Version   UInt8 COMMENT '0 as it was created, 1 revoked'
)
ENGINE = /*Replicated*/ReplacingMergeTree(Version)
ORDER BY KeyId
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1;
