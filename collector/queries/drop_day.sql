ALTER TABLE {table:Identifier} DROP PARTITION ID {day:String}
