-- name: lease
-- The last term of a lease, with the store's time: clocks of those who ask differ.
SELECT
    leases.Term AS Term,
    leases.Holder AS Holder,
    toUnixTimestamp64Milli(if(terms.Written > 0, terms.Until, leases.Until)) AS UntilMs,
    toUnixTimestamp64Milli(now64(3)) AS NowMs
FROM
(
    SELECT Name, Term, Holder, Until
    FROM evaluation_leases
    WHERE Name = {name:String}
    ORDER BY Term DESC, TakenAt, Holder
    LIMIT 1
) AS leases
LEFT ANY JOIN
(
    SELECT Name, Term, Until, Written FROM evaluation_lease_terms FINAL WHERE Name = {name:String}
) AS terms ON terms.Name = leases.Name AND terms.Term = leases.Term;

-- name: now
SELECT toUnixTimestamp64Milli(now64(3)) AS NowMs;

-- name: batch_columns
Name,
Config,
Schedule,
Watermark,
RetryFrom,
toUnixTimestamp64Milli(NextRunAt) AS NextRunMs,
LastRunId,
Status;

-- name: batch
SELECT
    /*columns*/
FROM evaluation_batches FINAL
WHERE Name = {name:String} AND NOT Deleted;

-- name: batches
SELECT
    /*columns*/
FROM evaluation_batches FINAL
WHERE NOT Deleted
ORDER BY Name;
