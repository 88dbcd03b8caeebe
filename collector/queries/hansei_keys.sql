-- Every key ever created, as it is now; times in seconds since 1970.
SELECT
    KeyId, Name, Roles, Sha256, toUnixTimestamp(CreatedAt) AS CreatedAt, toUnixTimestamp(ExpiresAt) AS ExpiresAt,
    toUnixTimestamp(RevokedAt) AS RevokedAt
FROM hansei_keys FINAL
ORDER BY CreatedAt, KeyId;
