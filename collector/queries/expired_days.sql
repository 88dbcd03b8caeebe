-- Days of a table that are past as a whole and have rows to lose, with how many stay. `labelled` is 0 where what stays
-- does so for ever.
SELECT
    _partition_id AS Day,
    countIf(
        ({labelled:UInt32} = 0 OR toDate({column:Identifier}) >= toDate(now() - toIntervalSecond({labelled:UInt32})))
        AND TraceId IN (SELECT TraceId FROM retained_traces)
    ) AS Kept
FROM {table:Identifier}
WHERE toDate({column:Identifier}) < toDate(now() - toIntervalSecond({traces:UInt32}))
GROUP BY Day
HAVING Kept < count()
ORDER BY Day
