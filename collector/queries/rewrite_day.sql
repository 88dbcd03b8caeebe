-- In the background. What stays is asked for when a part is rewritten.
ALTER TABLE {table:Identifier} DELETE IN PARTITION ID {day:String}
WHERE TraceId NOT IN (SELECT TraceId FROM retained_traces)
