"""Ways around the judgement of strangers' SQL that were tried; what does not end in a refusal shows nothing."""

import contextlib
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansei.collector.sql_errors import SqlError
from hansei.collector.store import EmbeddedStore

from .conftest import Reader
from .sql_http import KEEPS_TEXT

# --- places ---

PLACES = """
SELECT {}
SELECT number FROM numbers(3) WHERE {}
SELECT Duration FROM otel_traces PREWHERE {}
SELECT number FROM numbers(3) GROUP BY number HAVING {}
SELECT number FROM numbers(3) QUALIFY {}
SELECT number FROM numbers(3) ORDER BY {}
SELECT number FROM numbers(3) ORDER BY number WITH FILL FROM {} TO 5
SELECT number FROM numbers(3) ORDER BY number WITH FILL FROM 0 TO {} STEP 1
SELECT number FROM numbers(3) ORDER BY number WITH FILL FROM 0 TO 5 STEP {}
SELECT number FROM numbers(3) ORDER BY number WITH FILL STALENESS {}
SELECT number, 1 AS x FROM numbers(3) ORDER BY number WITH FILL FROM 0 TO 5 INTERPOLATE (x AS {})
SELECT number FROM numbers(3) LIMIT {}
SELECT number FROM numbers(3) LIMIT 1 OFFSET {}
SELECT number FROM numbers(3) LIMIT {} BY number
SELECT number FROM numbers(3) LIMIT 1 BY {}
SELECT DISTINCT ON ({}) number FROM numbers(3)
SELECT number FROM numbers(3) ARRAY JOIN [{}] AS a
SELECT number FROM numbers(3) AS a JOIN numbers(3) AS b ON {}
SELECT number FROM numbers(3) GROUP BY GROUPING SETS (({}), (number))
SELECT number FROM numbers(3) GROUP BY {} WITH ROLLUP
SELECT count() FILTER (WHERE {}) FROM numbers(3)
SELECT sum(number) OVER (PARTITION BY {}) FROM numbers(3)
SELECT sum(number) OVER (ORDER BY {}) FROM numbers(3)
SELECT sum(number) OVER (ROWS BETWEEN {} PRECEDING AND CURRENT ROW) FROM numbers(3)
SELECT sum(number) OVER (ROWS BETWEEN CURRENT ROW AND {} FOLLOWING) FROM numbers(3)
SELECT sum(number) OVER w FROM numbers(3) WINDOW w AS (PARTITION BY {})
SELECT lag(number, {}) OVER () FROM numbers(3)
SELECT quantile({})(number) FROM numbers(3)
SELECT CASE WHEN {} THEN 1 ELSE 2 END
SELECT CASE {} WHEN 1 THEN 1 ELSE 2 END
SELECT CAST({} AS String), {}::String
SELECT INTERVAL {} DAY, date_add(DAY, {}, now())
SELECT EXTRACT(DAY FROM {}), TRIM(LEADING {} FROM 'x'), SUBSTRING('x' FROM {} FOR 1), POSITION({} IN 'x')
SELECT arrayMap(x -> {}, [1])
SELECT [{}], ({}, 1), [1][{}], 1 BETWEEN {} AND 2, 'a' LIKE {}, {} ? 1 : 2, {} IS NULL
SELECT * REPLACE ({} AS number) FROM numbers(3)
SELECT COLUMNS('n') REPLACE ({} AS number) FROM numbers(3)
SELECT t.* REPLACE ({} AS number) FROM numbers(3) AS t
SELECT * APPLY(quantile({})) FROM numbers(3)
SELECT * APPLY(x -> {}) FROM numbers(3)
SELECT COLUMNS(number, number) APPLY(x -> {}) FROM numbers(3)
SELECT t.* APPLY(x -> {}) FROM numbers(3) AS t
SELECT * FROM view(SELECT {})
SELECT * FROM (SELECT {}) AS t(x)
SELECT number FROM numbers(3) WHERE number IN (SELECT {})
WITH c(a) AS (SELECT {}) SELECT * FROM c
WITH c AS MATERIALIZED (SELECT {}) SELECT * FROM c
WITH RECURSIVE c AS (SELECT 1 UNION ALL SELECT {}) SELECT * FROM c
WITH {} AS x SELECT x
WITH (SELECT {}) AS x SELECT x
WITH x -> {} AS f SELECT f(1)
EXPLAIN SELECT {}
EXPLAIN AST SELECT {}
EXPLAIN SYNTAX SELECT {}
EXPLAIN QUERY TREE SELECT {}
EXPLAIN PIPELINE SELECT {}
EXPLAIN ESTIMATE SELECT {}
SELECT * FROM (EXPLAIN SELECT {})
DESCRIBE TABLE (SELECT {})
SELECT EXISTS(SELECT {})
SELECT 1 = ANY (SELECT {})
SELECT * FROM values({})
SELECT * FROM values('a Int8', {})
SELECT * FROM (VALUES (1, {}))
SELECT * FROM numbers({})
SELECT * FROM generateSeries(1, {})
SELECT * FROM guarded.of_trace(id = {})
SELECT guardedTwice({})
SELECT 1 UNION ALL SELECT {}
SELECT 1 INTERSECT SELECT {}
(SELECT 1) EXCEPT (SELECT {})
SHOW TABLES WHERE {}
SHOW COLUMNS FROM otel_traces WHERE {}
SHOW INDEX FROM otel_traces WHERE {}
SHOW TABLES LIMIT {}
FROM numbers(3) SELECT {}
""".strip().splitlines()
"""Where an expression may stand."""


@pytest.mark.parametrize(
    "forbidden",
    [
        "file('/etc/hostname')",
        "length(`file`('/etc/hostname'))",
        "(1 IN system.processes)",
        "(1 IN `/etc/passwd`)",
        "(SELECT count() FROM system.processes)",
        "(SELECT count() FROM `/etc/passwd`)",
        "(1 IN (SELECT * FROM url('http://127.0.0.1/', 'CSV', 'a String')))",
        "arrayReduce('groupConcat(file(\\'/etc/hostname\\'))', ['a', 'b'])",
    ],
)
def test_nowhere(reader: Reader, forbidden: str) -> None:
    """Wherever an expression may stand, one that reaches beyond the tables is refused."""
    for place in PLACES:
        refusal = reader.refusal(place.replace("{}", forbidden))
        assert refusal.code in (497, 60, 46), (place, refusal)


FORBIDDEN = st.sampled_from(
    ["file('/etc/hostname')", "url('http://x')", "hostName()", "sleep(1)", "getMacro('x')", "dictGet('a','b',1)"]
)
SPACE = st.sampled_from(
    [" ", "\n", "\t", "\r\n", "\f", "/* file( */", "-- ' \n", "# `\n", "\u00a0", "\u2003", "\ufeff"]
)
WRAPPINGS = st.sampled_from(
    [
        "({})", "length({})", "toString({})", "[{}]", "tuple({})", "map('a', {})", "(SELECT {})", "if(1, {}, {})",
        "arrayMap(x -> {}, [1])", "CAST({} AS String)", "({} AS alias)", "(1 IN ({}))", "max({}) OVER ()",
        "(WITH f AS (SELECT {} AS x) SELECT x FROM f)", "(SELECT x FROM (SELECT {} AS x))", "coalesce(NULL, {})",
        "CASE WHEN 1 THEN {} END", "identity($$ ' $$ || toString({}))", "arrayFilter(`x y` -> {} = 1, [1])",
        "(SELECT any({}) FROM numbers(1) GROUP BY ALL)", "x'41' || {}", "'\u2028Asterisk\u2028' || {}",
    ]
)  # fmt: skip


@st.composite
def disguised(draw: st.DrawFn) -> str:
    """A forbidden call under other people's clothes."""
    name, _, arguments = draw(FORBIDDEN).partition("(")
    name = draw(st.sampled_from([name, name.upper(), name.title(), f"`{name}`", f'"{name}"']))
    call = name + "".join(draw(st.lists(SPACE, max_size=3))) + "(" + draw(SPACE) + arguments
    for wrapping in draw(st.lists(WRAPPINGS, max_size=4)):
        call = wrapping.replace("{}", call)
    before = "".join(draw(st.lists(SPACE, min_size=1, max_size=3)))
    return draw(st.sampled_from(["SELECT", "select", "EXPLAIN SELECT", "(SELECT 1) UNION ALL SELECT"])) + before + call


@settings(max_examples=100, deadline=None)
@given(disguised())
def test_no_disguise(reader: Reader, sql: str) -> None:
    """Comments, quotes, case, white space and nesting hide no forbidden call."""
    assert reader.refusal(sql).code in (497, 46, 62)


@st.composite
def harmless(draw: st.DrawFn, depth: int = 3) -> str:
    """An expression with one value, whatever the order in which it is computed."""
    leaves = st.one_of(
        st.integers(-1000, 1000).map(str),
        st.text(string.printable + "üß😀\u2028\x85\x00", max_size=8).map(
            lambda text: "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
        ),
        st.sampled_from(["NULL", "true", "[1, 2]", "('a', 1)", "'file(1)'", "0x1F", "1e3", "$$it's$$", "`a b`", "b"]),
    )
    if depth == 0 or draw(st.booleans()):
        return draw(leaves)
    shape = draw(
        st.sampled_from(
            [
                "toString({})", "({}, {})", "[toString({}), toString({})]", "if({} = {}, 1, 2)", "({} AS {a})",
                "arrayMap(x -> (x, {}), [1, 2])", "toString({}) || toString({})", "CASE WHEN isNull({}) THEN 1 END",
                "(SELECT toString({}))", "length(toString({}))", "map('k', toString({}))", "hex(toString({}))",
                "{} IS NULL", "toString({})::String", "(1 IN (SELECT length(toString({}))))", "tuple({}).1",
            ]
        )
    )  # fmt: skip
    shape = shape.replace("{a}", draw(st.text("abcdefgh", min_size=3, max_size=8)) + str(draw(st.integers(0, 10**9))))
    while "{}" in shape:
        shape = shape.replace("{}", draw(harmless(depth=depth - 1)), 1)
    return draw(SPACE) + shape + draw(SPACE)


@settings(max_examples=150, deadline=None)
@given(harmless())
def test_harmless_means_the_same(reader: Reader, expression: str) -> None:
    """What is harmless is taken, and means what it meant before the engine wrote it anew."""
    sql = f"SELECT{expression.join('  ')}FROM (SELECT 'x' AS `a b`, 7 AS b)".encode()
    try:
        with contextlib.closing(reader.endpoint._engine.session("original")) as session:
            original = session.answer(sql, "TabSeparated", {})[0]
    except SqlError:
        # The drawn types do not fit each other; the guard knows nothing of types.
        reader.ask(sql, run=False)
        return
    assert reader.ask(sql) == original


# --- names ---


@pytest.mark.parametrize(
    "sql",
    [
        "WITH processes AS (SELECT * FROM processes) SELECT query FROM processes",
        "SELECT query FROM processes WINDOW processes AS (ORDER BY 1)",
        "SELECT * FROM (WITH processes AS (SELECT 1 AS a) SELECT * FROM processes) AS x, processes",
        "WITH processes AS (SELECT * FROM one), one AS (SELECT * FROM processes) SELECT * FROM processes",
        "WITH processes(x) AS (SELECT 1) SELECT 1 IN processes",
        "SELECT * FROM processes",
        "SELECT 1 IN processes",
        "DESCRIBE processes",
        "EXISTS processes",
        "SHOW CREATE TABLE processes",
    ],
)
def test_current_database(reader: Reader, sql: str) -> None:
    """A table that is shut stays so by its bare name, and under a common table or a window of the same name."""
    assert reader.refusal(sql, database="system").code == 497


def test_unknown_database(reader: Reader) -> None:
    """A database that is not there is ClickHouse's error 81, whatever is in its name."""
    for name in ("nosuch", "`", "a`; DROP TABLE x", "\\", "../..", "ü"):
        assert reader.refusal("SELECT 1", database=name).code == 81


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("SELECT * FROM {x:Identifier}", "system.processes"),
        ("SELECT * FROM system.{x:Identifier}", "processes"),
        ("SELECT * FROM {x:Identifier}.processes", "system"),
        ("SELECT 1 IN {x:Identifier}", "system.processes"),
        ("SELECT 1 IN ({x:Identifier})", "system.processes"),
        ("DESCRIBE {x:Identifier}", "system.processes"),
        ("EXISTS system.{x:Identifier}", "processes"),
        ("SHOW CREATE TABLE system.{x:Identifier}", "users"),
        ("WITH {x:Identifier} AS y SELECT * FROM system.processes", "y"),
        ("SELECT a FROM values({x:String}, 1)", "b Int8, a String ALIAS file('/etc/hostname')"),
        ("SELECT a FROM values({x:LowCardinality(String)}, 1)", "b Int8, a String ALIAS file('/etc/hostname')"),
        ("SELECT arrayReduce({x:String}, ['a', 'b'])", "groupConcat(file('/etc/hostname'))"),
    ],
)
def test_parameters_are_judged(reader: Reader, sql: str, value: str) -> None:
    """What comes as a parameter is judged like what stands in the statement."""
    assert reader.refusal(sql, x=value).code == 497


@pytest.mark.parametrize("value", ["/etc/passwd", "a b", "x (alias y)", "`", "", "a\n", "a\u2028", "système"])
def test_odd_identifiers_as_parameters(reader: Reader, value: str) -> None:
    """A parameter that is an identifier is a plain name."""
    assert reader.refusal("SELECT * FROM {x:Identifier}", x=value).code == 457


def test_parameters_are_values(reader: Reader) -> None:
    """A parameter that is a value stays one, whatever it says."""
    value = "x' || file('/etc/hostname') -- "
    assert reader.ask("SELECT {x:String} = {y:String}", x=value, y=value) == b"1\n"
    assert reader.ask("SELECT {x:Array(String)}, {y:Int64}", x="['a','b']", y="-5") == b"['a','b']\t-5\n"
    assert reader.ask("SELECT count() FROM {x:Identifier}", x="otel_logs")


# --- files and objects ---


@pytest.fixture
def secret_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: EmbeddedStore) -> Path:
    """A file with a plain name in the working directory, and another in the engine's own folder."""
    for folder in (tmp_path, engine.directory, engine.directory / "user_files"):
        folder.mkdir(exist_ok=True)
        for name in ("secrets", "secrets.csv"):
            (folder / name).write_text("a,b\n1,sk-do-not-read-me\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "secrets.csv"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM {}",
        "WITH {} AS (SELECT * FROM {}) SELECT * FROM {}",
        "SELECT * FROM {} WINDOW {} AS ()",
        "SELECT * FROM (WITH {} AS (SELECT 1 AS a) SELECT * FROM {}) AS x, {}",
        "SELECT 1 IN {}",
        "SELECT name FROM system.settings WHERE name IN {}",
        "SELECT name FROM system.settings WHERE (name, 'sk-do-not-read-me') IN {}",
        "SELECT * FROM file({})",
        "SELECT file({})",
        "DESCRIBE {}",
        "SHOW CREATE TABLE {}",
        "SHOW COLUMNS FROM {}",
        "SELECT * FROM otel_traces JOIN {} USING (a)",
    ],
)
def test_files_are_no_tables(reader: Reader, secret_file: Path, sql: str) -> None:
    """A file cannot be read, by whatever name it goes, in the working directory or anywhere."""
    for name in ("secrets", "secrets.csv", "./secrets.csv", str(secret_file), f"file://{secret_file}"):
        for quoted in (f"`{name}`", f"'{name}'", f'"{name}"'):
            with contextlib.suppress(SqlError):
                assert reader.ask(sql.replace("{}", quoted)).strip() in (b"", b"0")


def test_files_existence_is_not_told(reader: Reader, secret_file: Path) -> None:
    """Whether there is a file is not told either."""
    there, not_there = str(secret_file), str(secret_file) + "x"
    for sql in ("EXISTS `{}`", "EXISTS TABLE `{}`", "EXISTS VIEW `{}`", "SHOW CREATE `{}`", "SELECT 1 IN `{}`"):
        refusals = [reader.refusal(sql.replace("{}", name)) for name in (there, not_there)]
        assert str(refusals[0]).replace(there, not_there) == str(refusals[1])


sk_do_not_read_me = {"a": [1, 2]}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM {}",
        "SELECT * FROM Python({})",
        "SELECT * FROM python('{}')",
        "SELECT 1 IN {}",
        "WITH {} AS (SELECT * FROM {}) SELECT * FROM {}",
        "SELECT * FROM default.{}",
        "SELECT chdb('{}')",
    ],
)
def test_objects_are_no_tables(reader: Reader, sql: str) -> None:
    """Objects of this process, which chDB could read as tables, are out of reach."""
    table = {"a": [1, 2]}
    for name in ("table", "sk_do_not_read_me", "reader", "asked", "self", "parameters"):
        with pytest.raises(SqlError):
            reader.ask(sql.replace("{}", name))
    assert table == sk_do_not_read_me


def test_words_that_look_like_objects(reader: Reader) -> None:
    """A string that speaks of objects is a string."""
    assert reader.ask("SELECT 'Python(self)', 'SELECT * FROM python(reader)'").startswith(b"Python(self)\t")


# --- sizes ---


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "(" * 10_000 + "1" + ")" * 10_000,
        "SELECT " + "[" * 10_000 + "1" + "]" * 10_000,
        "SELECT " + "[" * 900 + "1" + "]" * 900,
        "SELECT * FROM (" * 1000 + "SELECT 1" + ")" * 1000,
        "SELECT " + "NOT " * 20_000 + "1",
        "SELECT " + "- " * 900 + "1",
        "SELECT 1" + " + 1" * 50_000,
        "SELECT " + "x -> (y, " * 60 + "1",
        "SELECT " + "CAST(" * 200 + "1",
        "SELECT *" + " APPLY sum" * 20_000 + " FROM numbers(1)",
        "SELECT " + ".".join(["a"] * 50_000),
        "SELECT '" + "a" * 300_000 + "'",
        "SELECT '" + "\\'" * 120_000 + "'",
        "SELECT " + ", ".join(f"nosuch{number}(1)" for number in range(8000)),
        "WITH " + ", ".join(f"x -> 1 AS f{number}" for number in range(8000)) + " SELECT f1(1)",
        "WITH " + ", ".join(f"c{number} AS (SELECT 1)" for number in range(3000)) + " SELECT * FROM c1",
        "WITH 1 AS a0" + "".join(f", a{n} + a{n} AS a{n + 1}" for n in range(40)) + " SELECT a40",
        "WITH x -> x + x AS f0" + "".join(f", x -> f{n}(f{n}(x)) AS f{n + 1}" for n in range(30)) + " SELECT f30(1)",
        "WITH c0 AS (SELECT 1)"
        + "".join(f", c{n + 1} AS (SELECT * FROM c{n} AS a, c{n} AS b)" for n in range(20))
        + " SELECT count() FROM c20",
        "SELECT repeat('a', 1000000000)",
        "SELECT arrayMap(x -> range(1000000), range(1000000))",
        "SELECT CAST('x', repeat('Array(', 100000) || 'Int8' || repeat(')', 100000))",
        "SELECT JSONMergePatch(repeat('[', 1000000), '{}')",
        "SELECT formatQuery('SELECT ' || repeat('(', 100000))",
        "SELECT match('a', repeat('(', 100000))",
    ],
    ids=lambda sql: sql[:40],
)
def test_huge(reader: Reader, sql: str) -> None:
    """Depth, length, and definitions that double from one to the next end in an answer or an error, and it goes on."""
    with contextlib.suppress(SqlError):
        reader.ask(sql)
    assert reader.ask("SELECT 1") == b"1\n"


def test_no_time_without_an_end(reader: Reader) -> None:
    """A query may lower its limits and not raise or lift them."""
    for sql, code in (
        (
            "SELECT count() FROM numbers(1000000000000) WHERE cityHash64(number) = 1 SETTINGS max_execution_time = 1",
            159,
        ),
        ("SELECT groupArray(number) FROM numbers(1000000000) SETTINGS max_memory_usage = 0", 241),
        ("SELECT number FROM numbers(100) SETTINGS max_result_rows = 10", 396),
    ):
        with pytest.raises(SqlError) as refusal:
            reader.ask(sql)
        assert refusal.value.code == code
    assert reader.ask("SELECT getSetting('max_execution_time') SETTINGS max_execution_time = 99999") == b"30\n"
    assert reader.ask("SELECT getSetting('max_memory_usage') SETTINGS max_memory_usage = '0'") == b"268435456\n"


# --- bytes ---


def test_odd_bytes(reader: Reader) -> None:
    """NUL and what is not UTF-8 are values in strings and errors elsewhere."""
    assert reader.ask(b"SELECT 'a\0b'") == b"a\\0b\n"
    assert reader.ask(b"SELECT '\xff\xfe'") == b"\xff\xfe\n"
    for sql in (b"SELECT 1\0", b"SELECT 1\0; SELECT file('/etc/hostname')", b"\0", b""):
        assert reader.refusal(sql).code == 62
    for sql in (b"SELECT \xff", b"\xff\xfe"):
        assert reader.refusal(sql).code == (62 if KEEPS_TEXT else 36)
    assert reader.refusal(b"SELECT f\xc4\xb1le('/etc/hostname')").code == 62
    assert reader.refusal(b"SELECT * FROM `\xff`").code == 60


@pytest.mark.parametrize("end", ["\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_line_ends_in_names_and_strings(reader: Reader, end: str) -> None:
    """What ends a line in Unicode or anywhere does not cut the tree that is judged."""
    assert reader.refusal(f"SELECT in('a{end}Asterisk{end}Literal x', system.processes)").code == 497
    assert reader.refusal(f"SELECT ('a{end} Asterisk', 1) IN system.processes").code == 497
    assert reader.refusal(f"SELECT `x{end}Asterisk` IN system.processes").code in (497, 62)


def test_settings_stay_shut(reader: Reader) -> None:
    """The engine's own read-only mode is on below the judgement, but for a plain look at what may be set."""
    assert reader.ask("SELECT value FROM system.settings WHERE name = 'readonly'") == b"2\n"
    for sql in (
        "SELECT value FROM system.settings WHERE name = 'readonly' AND length(name) > 1",
        "SELECT value FROM (SELECT * FROM system.settings) WHERE name = 'readonly'",
        "SELECT getSetting('readonly')",
    ):
        assert reader.ask(sql) == b"1\n"
