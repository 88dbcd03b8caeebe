"""What strangers' SQL may do at the SQL endpoint, judged and run as the endpoint does it; readers get no further."""

import re

import pytest

from .conftest import Reader

ACCEPTED = re.split(
    r"\n(?! )",
    """SELECT 1
select count() from otel_traces;
SELECT * FROM genai_calls ORDER BY Timestamp DESC LIMIT 50 FORMAT JSON
SELECT version(), timezone()
SELECT name, value, readonly as readonly FROM system.settings LIMIT 10000
SELECT 1 AS check -- clickhouse-connect
DESCRIBE TABLE default.otel_traces
DESC TABLE (SELECT 1 AS a)
SHOW DATABASES
SHOW TABLES
SHOW TABLES FROM system LIKE 'c%' LIMIT 3
SHOW FULL TABLES FROM default
SHOW COLUMNS FROM otel_traces
SHOW INDEX FROM otel_traces
SHOW FUNCTIONS LIKE 'abs'
SHOW SETTINGS LIKE 'max_threads'
SHOW CREATE TABLE otel_traces
SHOW CREATE VIEW genai_calls
SHOW CREATE DATABASE default
EXISTS TABLE otel_traces
EXISTS nothing_of_this_name
EXISTS DATABASE default
select count(*) AS "COUNT(*)", SUM(Duration) AS `SUM(Duration)` from (select * from default.otel_traces) AS
    virtual_table
SELECT toStartOfHour(toDateTime(Timestamp)) AS __timestamp, ServiceName, COUNT(DISTINCT TraceId) AS n FROM
    default.otel_traces WHERE Timestamp >= toDateTime64('2026-01-01 00:00:00.000000', 6) GROUP BY __timestamp,
    ServiceName ORDER BY n DESC LIMIT 10000
SELECT name FROM system.tables WHERE database = 'default' AND engine LIKE '%View%'
SELECT toStartOfInterval(toDateTime(Timestamp), INTERVAL 60 second) as time, quantile(0.95)(Duration) FROM
    otel_traces WHERE Timestamp >= toDateTime(1700000000) GROUP BY time ORDER BY time
SELECT DISTINCT arrayJoin(mapKeys(SpanAttributes)) AS keys FROM otel_traces LIMIT 1000
SELECT database, table, name, type, comment FROM system.columns WHERE database NOT IN ('system',
    'INFORMATION_SCHEMA') ORDER BY 1, 2
SELECT currentUser() AS user, timezone() AS timezone, version() AS version, toUInt8(ifnull((SELECT value FROM
    system.settings WHERE name = 'readonly'), '0')) AS readonly FORMAT RowBinaryWithNamesAndTypes
SELECT '' AS TABLE_CAT, t.database AS TABLE_SCHEM, t.name AS TABLE_NAME, CASE WHEN t.engine = 'View' THEN 'VIEW'
    WHEN t.database = 'system' THEN 'SYSTEM TABLE' ELSE 'TABLE' END AS TABLE_TYPE FROM system.tables t INNER
    JOIN system.databases d ON t.database = d.name ORDER BY 1, 2, 3
SELECT table_name FROM information_schema.tables WHERE table_schema = currentDatabase()
SELECT COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'otel_traces'
SELECT number FROM system.numbers LIMIT 3
EXPLAIN SELECT 1
EXPLAIN indexes = 1 SELECT count() FROM otel_traces WHERE TraceId = 'x'
EXPLAIN PIPELINE SELECT 1
EXPLAIN SYNTAX SELECT 1
EXPLAIN QUERY TREE SELECT 1
EXPLAIN ESTIMATE SELECT count() FROM otel_traces
EXPLAIN AST SELECT 1
WITH t(x) AS (SELECT 1), u AS (SELECT 2 AS y) SELECT * FROM t, u
WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n) FROM t
WITH otel_traces AS (SELECT * FROM otel_traces WHERE Duration > 1) SELECT count() FROM otel_traces
WITH 1 AS x, x + 1 AS y SELECT x, y
WITH x -> x + 1 AS plus_one SELECT plus_one(1), arrayMap(y -> plus_one(y), [1, 2])
WITH x AS MATERIALIZED (SELECT 1) SELECT * FROM x
SELECT * FROM guarded.of_trace(id = 'x')
SELECT guardedTwice(4), arrayMap(x -> guardedTwice(x), [1])
(SELECT 1 LIMIT 1) UNION ALL (SELECT 2 ORDER BY 1) UNION DISTINCT SELECT 3 INTERSECT SELECT 3 EXCEPT SELECT 4
SELECT EXISTS(SELECT 1), NOT EXISTS (SELECT 1), 1 = ANY (SELECT 1), 1 > ALL (SELECT 0)
SELECT 1 IN (SELECT 1), 1 IN system.one, 'a' IN ('b'), (1, 2) NOT IN ((1, 2)), 1 GLOBAL IN (1)
SELECT 1 IN t.a, 2 IN a FROM (SELECT [1] AS a) AS t
SELECT grouping(number), number FROM numbers(2) GROUP BY GROUPING SETS ((number), ())
SELECT number % 2 AS n, sum(number) FROM numbers(9) GROUP BY CUBE(n) WITH TOTALS
SELECT untuple((1, 2)), t.*, t.1, [1, 2][1], map('a', 1)['a'] FROM (SELECT (1, 2) AS t)
SELECT * APPLY sum FROM numbers(3)
SELECT COLUMNS('num') APPLY(quantiles(0.5, 0.9)) FROM numbers(3)
SELECT * EXCEPT(number), COLUMNS(number), * REPLACE(number + 1 AS number) FROM numbers(2)
SELECT sum(number) OVER w, lag(number) OVER (ORDER BY number), row_number() OVER () FROM numbers(3) WINDOW w AS
    (PARTITION BY number % 2 ORDER BY number ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
SELECT number, number AS x FROM numbers(3) ORDER BY number WITH FILL FROM 0 TO 5 STEP 1 INTERPOLATE (x AS x + 1)
SELECT number FROM numbers(3) ORDER BY ALL LIMIT 1 WITH TIES
SELECT number FROM numbers(3) ORDER BY number LIMIT 1 BY number LIMIT 1, 1
SELECT number FROM numbers(3) ORDER BY number OFFSET 1 ROW FETCH FIRST 1 ROWS ONLY
SELECT a.number FROM numbers(3) AS a ASOF JOIN numbers(3) AS b ON a.number = b.number AND a.number >= b.number
SELECT n FROM otel_traces ARRAY JOIN Events.Name AS n PREWHERE TraceId = 'x' WHERE has(mapKeys(SpanAttributes), 'x')
SELECT count() FILTER (WHERE number > 1), sumIf(number, 1), uniqExactIf(number, 1),
    quantilesTDigestIf(0.5)(number, 1) FROM numbers(3)
SELECT uniqMerge(s), anyLastMerge(l) FROM (SELECT uniqState(1) AS s, anyLastState(1) AS l)
SELECT arrayReduce('sum', [1, 2]), arrayReduce('quantiles(0.5, 0.9)', [1, 2]), initializeAggregation('sumState', 1)
SELECT CAST(1 AS String), 1::Decimal(10, 2), cast('[1]' as Array(Int8)), DATE '2020-01-01' + INTERVAL 1 DAY
SELECT date_add(DAY, 1, now()), timestampdiff(day, now(), now()), EXTRACT(YEAR FROM now()), dateDiff('day',
    today(), today())
SELECT SUBSTRING('abc' FROM 2 FOR 1), TRIM(BOTH 'x' FROM 'xax'), POSITION('a' IN 'ba'), OVERLAY('abc' PLACING
    'x' FROM 1), 'a' || 'b', 'a' ILIKE 'A'
SELECT CASE 1 WHEN 1 THEN 2 ELSE 3 END, if(1, 2, 3), 1 ? 2 : 3, coalesce(NULL, 1), 5 DIV 2, 1 IS NOT DISTINCT FROM 1
SELECT '{"a": {"b": 1}}'::JSON AS j, j.a.b, j.a.b.:Int64, j.^a
SELECT $$it's a 'heredoc'$$, $tag$ file('/etc/hostname') $tag$, 'file(''/etc/hostname'')', 'line\\nline', 'ü 😀'
SELECT 1 AS `select`, 2 AS "a ""b", 3 AS `a.b`, 4 AS `f(x)`, 5 AS `ü`, 6 AS file, 7 AS url, 8 AS `/etc/passwd`
SELECT * FROM values('a Int8, b Nullable(String), c Array(LowCardinality(String)), d DateTime64(3)', (1, 'x',
    ['a'], now()))
SELECT * FROM (VALUES (1, 'a b'), (2, 'b')) AS t(x, y)
SELECT * FROM VALUES (('some words', 1), ('more', 2))
SELECT max(number) FROM view(SELECT number FROM numbers(3))
SELECT count() FROM generateSeries(1, 10)
SELECT number FROM numbers(10) SETTINGS max_threads = 1, max_block_size = 5 FORMAT CSV
SELECT number FROM numbers(10) FORMAT CSV SETTINGS max_threads = 1
FROM numbers(2) SELECT number
/* a comment */ SELECT /* another */ 1 # and one more
""".strip(),
)
"""Typical of curl, clickhouse-connect, Superset, Grafana, JDBC and notebooks; what is indented goes on."""


@pytest.mark.parametrize("sql", ACCEPTED)
def test_accepted(reader: Reader, sql: str) -> None:
    """What people and their tools ask for runs."""
    reader.ask(sql)


REFUSED = {
    62: """
        SELECT 1; SELECT 2
        SELECT 1; DROP TABLE otel_traces
        SELECT 1 /* not closed
        SELECT * FROM `system.tables (alias x)`
        SELECT * FROM otel_traces AS `a (children 2)`
        SELECT 1 AS `a`` b`
        ;
        """,
    46: """
        SELECT nosuchfunction(1)
        SELECT 1 IN values('x String', 'y')
        """,
    60: """
        SELECT * FROM nosuchtable
        SELECT * FROM `/etc/passwd`
        SELECT * FROM otel_traces JOIN `/etc/passwd` USING TraceId
        SELECT 1 IN (SELECT * FROM `/etc/passwd`)
        DESCRIBE `/etc/passwd`
        SHOW CREATE TABLE `/etc/passwd`
        EXISTS TABLE `/etc/passwd`
        EXISTS TABLE `/no/such/file`
        SELECT * FROM SYSTEM.processes
        SELECT * FROM Information_Schema.tables
        SELECT 1 FROM default.`otel_traces/../../etc/passwd`
        """,
    73: """
        SELECT 1 FORMAT NoSuchFormat
        """,
    164: """
        INSERT INTO otel_traces SELECT * FROM otel_traces
        INSERT INTO FUNCTION file('x.csv') SELECT 1
        WITH 1 AS x INSERT INTO otel_logs (Body) SELECT toString(x)
        CREATE TABLE x (a Int8) ENGINE = Memory
        CREATE TEMPORARY TABLE x (a Int8)
        CREATE FUNCTION f AS x -> x
        DROP TABLE otel_traces
        TRUNCATE TABLE otel_traces
        ALTER TABLE otel_traces DELETE WHERE 1
        DELETE FROM otel_traces WHERE 1
        UPDATE otel_traces SET Duration = 1 WHERE 1
        OPTIMIZE TABLE otel_traces FINAL
        RENAME TABLE otel_traces TO x
        SET max_threads = 1
        USE system
        EXPLAIN AST DROP TABLE otel_traces
        SELECT * FROM (SELECT 1 SETTINGS readonly = 0)
        SELECT * FROM (SELECT 1 SETTINGS a.b = 1, readonly = 0)
        SELECT * FROM view(SELECT 1 SETTINGS `readonly` = 0)
        SELECT 1 SETTINGS readonly = 0
        SELECT 1 SETTINGS format_schema = '/etc/passwd'
        SELECT 1 SETTINGS log_comment = 'hansei-1', additional_result_filter = 'file(\\'x\\')'
        """,
    497: """
        EXPLAIN INSERT INTO otel_logs (Body) SELECT 'x'
        KILL QUERY WHERE 1
        SYSTEM SHUTDOWN
        SYSTEM FLUSH LOGS
        CHECK TABLE otel_traces
        DETACH TABLE otel_traces
        ATTACH TABLE x
        EXCHANGE TABLES otel_traces AND otel_logs
        UNDROP TABLE x
        BACKUP TABLE otel_traces TO File('/tmp/x')
        GRANT ALL ON *.* TO default
        EXECUTE AS x SELECT 1
        BEGIN TRANSACTION
        SHOW PROCESSLIST
        SHOW GRANTS
        SHOW USERS
        SHOW ACCESS
        SHOW CLUSTERS
        SHOW DICTIONARIES
        SHOW ENGINES
        SHOW SETTING max_threads
        SHOW TABLES WHERE file('/etc/hostname') = ''
        SHOW COLUMNS FROM otel_traces WHERE field IN (SELECT query FROM system.processes)
        SHOW CREATE TABLE system.users
        EXISTS TABLE system.processes
        EXPLAIN TABLE OVERRIDE mysql('a', 'b', 'c', 'd', 'e') COLUMNS (a Int8)
        EXPLAIN CURRENT TRANSACTION
        EXPLAIN PLAN SELECT file('x')
        SELECT * FROM (EXPLAIN SELECT 1)
        SELECT * FROM viewExplain('EXPLAIN', '', (SELECT 1))
        SELECT 1 INTO OUTFILE '/tmp/x'
        EXPLAIN SELECT 1 INTO OUTFILE '/tmp/x' FORMAT CSV
        SELECT 1 FORMAT Template
        SELECT 1 FORMAT AvroConfluent
        SELECT * FROM system.processes
        SELECT * FROM `system`.`processes`
        SELECT * FROM "system" . /* */ "processes"
        SELECT * FROM `system.processes`
        SELECT 1 IN system.processes
        SELECT * FROM system.users
        SELECT * FROM system.named_collections
        SELECT * FROM system.server_settings
        SELECT * FROM merge('system', '.*')
        SELECT * FROM remote('127.0.0.1', system.one)
        SELECT * FROM cluster('x', system.one)
        SELECT * FROM url('http://169.254.169.254/')
        SELECT * FROM s3('http://127.0.0.1/x.csv')
        SELECT * FROM file('/etc/passwd')
        SELECT * FROM FILE('/etc/passwd')
        DESCRIBE TABLE file('x.csv')
        SELECT * FROM executable('ls', 'CSV', 'a String')
        SELECT * FROM sqlite('a', 'b')
        SELECT * FROM dictionary('x')
        SELECT * FROM loop(system.one)
        SELECT * FROM input('a Int8')
        SELECT * FROM mergeTreeIndex(default, otel_traces)
        SELECT * FROM viewIfPermitted(SELECT 1 ELSE null('a Int8'))
        SELECT file('/etc/hostname')
        SELECT FILE('/etc/hostname')
        SELECT `file`('/etc/hostname'), "file"('/etc/hostname')
        SELECT file /* */ ('/etc/hostname')
        WITH x -> x AS file SELECT file('/etc/hostname')
        WITH file AS (SELECT 1) SELECT file('/etc/hostname')
        SELECT 1 AS file, file('/etc/hostname')
        WITH (p -> file(p)) AS f SELECT f('/etc/hostname')
        SELECT * APPLY(x -> file(x)) FROM numbers(1)
        SELECT * APPLY(file) FROM numbers(1)
        SELECT * APPLY (x -> x IN (SELECT query FROM system.processes)) FROM numbers(1)
        SELECT dictGet('a', 'b', 1)
        SELECT joinGet('system.processes', 'query', 1)
        SELECT hasColumnInTable('system', 'processes', 'query')
        SELECT hostName(), displayName()
        SELECT getMacro('x')
        SELECT sleep(1)
        SELECT addressToLine(1)
        SELECT aiGenerate('x')
        SELECT assignCentroid([1.], 'a_dictionary')
        SELECT a FROM values('x Int8, a String ALIAS file(\\'/etc/hostname\\')', 1)
        SELECT a FROM values('x Int8, a String DEFAULT file(\\'/etc/hostname\\')', 1)
        SELECT a FROM values('x Int8,a`a`String/**/ALIAS/**/file(x)', 1)
        WITH 'x Int8, a String ALIAS file(\\'/etc/hostname\\')' AS s SELECT a FROM values(s, 1)
        SELECT a FROM values('x Int8' || ', a String ALIAS file(\\'/etc/hostname\\')', 1)
        SELECT * FROM (VALUES ('x Int8, a String ALIAS file(\\'/etc/hostname\\')'), (1))
        SELECT a FROM generateRandom('x Int8, a String ALIAS file(\\'/etc/hostname\\')') LIMIT 1
        SELECT a FROM null('a String ALIAS file(\\'/etc/hostname\\')')
        SELECT structureToProtobufSchema('a Int8 DEFAULT toInt8(file(\\'/etc/hostname\\'))')
        SELECT arrayReduce('groupConcat(file(\\'/etc/hostname\\'))', ['a', 'b'])
        SELECT arrayReduce(concat('groupConcat(file(', '\\'/etc/hostname\\'))'), ['a', 'b'])
        SELECT arrayMap(f -> arrayReduce(f, ['a', 'b']), ['groupConcat(file(\\'/etc/hostname\\'))'])
        SELECT arrayReduceInRanges('groupConcat(file(\\'/etc/hostname\\'))', [(1, 2)], ['a', 'b'])
        SELECT initializeAggregation('groupConcat(file(\\'/etc/hostname\\'))', 'a')
        SELECT * FROM Python(asked)
        SELECT * FROM python('asked')
        SELECT chdb('SELECT 1')
        """,
}


@pytest.mark.parametrize(
    ("code", "sql"),
    [(code, sql.strip()) for code, lines in REFUSED.items() for sql in lines.split("\n") if sql.strip()],
)
def test_refused(reader: Reader, code: int, sql: str) -> None:
    """What changes anything, or reaches beyond the tables, is refused before it runs, with ClickHouse's code."""
    assert reader.refusal(sql).code == code
