SELECT count()
FROM system.mutations
WHERE database = currentDatabase() AND table = {table:String} AND NOT is_done AND NOT is_killed
