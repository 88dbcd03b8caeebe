-- Keep a key as it was created, or as it is revoked; times in seconds since 1970, 0 for none.
INSERT INTO hansei_keys (KeyId, Name, Roles, Sha256, CreatedAt, ExpiresAt, RevokedAt, Version)
SELECT
    {key_id:String}, {name:String}, {roles:Array(String)}, {sha256:String}, toDateTime({created:UInt32}, 'UTC'),
    nullIf(toDateTime({expires:UInt32}, 'UTC'), toDateTime(0, 'UTC')),
    nullIf(toDateTime({revoked:UInt32}, 'UTC'), toDateTime(0, 'UTC')), {revoked:UInt32} > 0;
