"""The ``hansei`` command: light until it works, one line where it cannot, and SQL over data at rest and at work."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hansei as package
from hansei.cli import _SCHEMA
from hansei.collector.migrations import migrations
from hansei.collector.settings import SETTINGS

from .collector import conftest
from .collector.processes import Ran
from .collector.waiting import until

Hansei = Callable[..., Ran]

# What the collector's tests use.
hansei = conftest.hansei
serve = conftest.serve
clients = conftest.clients
some_spans = conftest.some_spans

COMMANDS = ("serve", "query", "migrate", "prices")


def refused(ran: Ran) -> str:
    """The one line with which a command has refused."""
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1), ran.err
    assert ran.err.startswith("hansei: ")
    return ran.err.removeprefix("hansei: ").strip()


# --- light ---

LOADED = """
import json, runpy, sys
sys.argv[0] = "hansei"
try:
    runpy.run_module("hansei.cli", run_name="__main__", alter_sys=True)
except SystemExit as end:
    print(json.dumps([end.code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


@pytest.mark.parametrize("arguments", [(), *((command,) for command in COMMANDS)], ids=lambda words: "".join(words))
def test_help_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    """Help is there for every command, without the engine, gRPC, a web framework or OpenTelemetry being loaded."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments, "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    *text, last = done.stdout.splitlines()
    assert text[0].startswith(" ".join(["usage: hansei", *arguments]))
    code, modules = json.loads(last)
    assert code == 0
    assert not {
        "chdb", "clickhouse_connect", "genai_prices", "google", "grpc", "httptools", "numpy", "openai", "opentelemetry",
        "pandas", "prometheus_client", "pyarrow", "starlette", "urllib3", "uvicorn", "wrapt", "xxhash",
    } & {*modules}  # fmt: skip


def test_help_of_serve_names_every_setting(hansei: Hansei) -> None:
    """Each setting is there with its flag and variable; keys, which have no flag, with their variable alone."""
    text = hansei("serve", "--help").out
    for setting in SETTINGS:
        assert (setting.flag in text) is not setting.secret
        assert setting.variable in text


def test_version(hansei: Hansei) -> None:
    """The version is the package's."""
    assert hansei("--version").out == f"hansei {package.__version__}\n"


@pytest.mark.parametrize(("arguments", "said"), [((), "required: COMMAND"), (("quarry",), "invalid choice: 'quarry'")])
def test_no_command(hansei: Hansei, arguments: tuple[str, ...], said: str) -> None:
    """Without a command that there is, one line says so and where to look."""
    line = refused(hansei(*arguments))
    assert said in line
    assert line.endswith("; see hansei --help")


WITHOUT_SERVER = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1].split():
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
from hansei.cli import main
sys.exit(main(sys.argv[2:]))
"""
SERVER = "chdb clickhouse_connect genai_prices httptools prometheus_client starlette uvicorn xxhash"


@pytest.mark.parametrize("command", [("serve",), ("query", "SELECT 1"), ("migrate",), ("prices",)], ids=COMMANDS)
def test_without_the_server_extra(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Where the server's parts are not installed, a command that needs them says what to install."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_SERVER, SERVER, *command, "--data", str(tmp_path / "data")],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    line = refused(Ran(done.returncode, done.stdout, done.stderr))
    assert line.startswith("this command needs the server's parts: pip install 'hansei[server]' (")


# --- migrate ---


def test_migrate_twice(hansei: Hansei, tmp_path: Path) -> None:
    """The first run applies the schema file by file, the second nothing."""
    first, second = (hansei("migrate", "--data", tmp_path / "data") for _ in range(2))
    done = f"{tmp_path / 'data' / 'clickhouse'}: the schema is up to date"
    assert first.out.splitlines() == [*(f"applied {migration.name}" for migration in migrations(_SCHEMA)), done]
    assert second.out.splitlines() == [done]
    assert (first.code, first.err, second.code, second.err) == (0, "", 0, "")


def test_cluster_needs_a_server(hansei: Hansei, tmp_path: Path) -> None:
    """The embedded engine has no cluster."""
    said = refused(hansei("migrate", "--data", tmp_path / "data", "--cluster", "c"))
    assert said == "--cluster needs --clickhouse URL: the embedded engine has no cluster"


# --- query, over data at rest ---


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, hansei: Hansei) -> Path:
    """The data of a collector that is not running, with a model call in it."""
    data = tmp_path_factory.mktemp("cli") / "data"
    assert hansei("migrate", "--data", data).code == 0
    call = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.usage.input_tokens": "1000",
        "gen_ai.usage.output_tokens": "10",
    }
    insert = f"INSERT INTO otel_traces (TraceId, ServiceName, SpanAttributes) VALUES ('t1', 'shop', {call})"
    ran = hansei("query", "--data", data, insert)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    return data


CALLS = "SELECT ServiceName AS service, InputTokens AS tokens FROM genai_calls"
FORMATS = {
    "none": ((CALLS,), "   ┌─service─┬─tokens─┐\n1. │ shop    │   1000 │\n   └─────────┴────────┘\n"),
    "the flag's": ((CALLS, "--format=CSVWithNames"), '"service","tokens"\n"shop",1000\n'),
    "the query's": ((f"{CALLS} format TSV;",), "shop\t1000\n"),
    "the query's, with a setting": ((f"{CALLS} FORMAT TSV SETTINGS max_threads = 1 -- one",), "shop\t1000\n"),
    "that of another statement": (("EXISTS TABLE otel_logs FORMAT TSV",), "1\n"),
    "only a name": (("SELECT 1 AS format; ",), "   ┌─format─┐\n1. │      1 │\n   └────────┘\n"),
}


@pytest.mark.parametrize(("arguments", "expected"), FORMATS.values(), ids=FORMATS)
def test_formats(hansei: Hansei, data: Path, arguments: tuple[str, ...], expected: str) -> None:
    """A table for people, unless the flag or the query itself names another of ClickHouse's formats."""
    ran = hansei("query", "--data", data, *arguments)
    assert (ran.code, ran.out, ran.err) == (0, expected, "")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELEC 1", "Syntax error"),
        ("SELECT nothing FROM otel_traces", "Unknown expression identifier `nothing`"),
        ("SELECT 1 FORMAT Nothing", "Unknown format Nothing"),
        ("SELECT throwIf(number = 500000) FROM numbers(1000000)", "Value passed to 'throwIf'"),
        (" ;\n", "there is no SQL in the query"),
    ],
)
def test_bad_sql(hansei: Hansei, data: Path, sql: str, said: str) -> None:
    """What ClickHouse refuses is told in one line, in its words."""
    assert said in refused(hansei("query", "--data", data, sql))


@pytest.mark.parametrize("command", [("query", "SELECT 1"), ("prices",)], ids=["query", "prices"])
def test_missing_data(hansei: Hansei, tmp_path: Path, command: tuple[str, ...]) -> None:
    """A folder without data is named and not made; the line says how to come to data."""
    missing = tmp_path / "nothing"
    said = refused(hansei(*command, HANSEI_DATA=str(missing)))
    assert said == f"there is no data in {missing}; start `hansei serve`, or name its folder with --data"
    assert not missing.exists()


def test_a_server_that_is_away(hansei: Hansei) -> None:
    """A server that does not answer is named without the password."""
    said = refused(hansei("query", "--clickhouse", "http://user:secret@127.0.0.1:1/hansei", "SELECT 1"))
    assert said == "ClickHouse at http://127.0.0.1:1/hansei refused or did not answer: Connection refused"


def test_empty_variables_count_as_none(hansei: Hansei, data: Path) -> None:
    """As for every setting, a variable that is empty is one that is not set."""
    ran = hansei("query", "SELECT 1 FORMAT TSV", HANSEI_DATA=str(data), HANSEI_CLICKHOUSE="")
    assert (ran.code, ran.out, ran.err) == (0, "1\n", "")
    said = refused(hansei("query", "SELECT 1", cwd=data, HANSEI_DATA=""))
    assert said.startswith("there is no data in hansei-data; ")


def test_reader_that_leaves(data: Path) -> None:
    """``hansei query … | head`` prints what was asked for and nothing on standard error."""
    sql = "SELECT number, randomString(100) FROM numbers(2000000) FORMAT JSONEachRow"
    command = 'set -o pipefail; "$0" -m hansei.cli query --data "$1" "$2" | head -c 10'
    done = subprocess.run(
        ["bash", "-c", command, sys.executable, str(data), sql], capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b'{"number":', b"")


@pytest.mark.parametrize("command", [("query", "SELECT 1"), ("prices",)], ids=["query", "prices"])
def test_full_disk_behind_standard_output(data: Path, command: tuple[str, ...]) -> None:
    """What cannot be written is told in one line, with Python's buffering of output or without."""
    for environment in ({}, {"PYTHONUNBUFFERED": "1"}):
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "hansei.cli", *command, "--data", str(data)],
                stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
                env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"} | environment,
            )  # fmt: skip
        assert done.stderr == "hansei: the output cannot be written: No space left on device\n"
        assert done.returncode == 2


@pytest.mark.parametrize("output", ["full disk", "closed pipe", "closed"])
def test_collector_that_cannot_say_where_it_listens(tmp_path: Path, output: str) -> None:
    """A collector goes on, and ends well, where nothing of what it says can be written."""
    command = [sys.executable, "-m", "hansei.cli", "serve", f"--data={tmp_path}/data"]
    command += [f"--{name}=127.0.0.1:0" for name in ("otlp-grpc", "otlp-http", "ui", "sql")]
    if output == "closed":
        command = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    reading, writing = os.pipe()
    os.close(reading)
    with Path("/dev/full").open("wb") as full:
        process = subprocess.Popen(
            command, stdout=full if output == "full disk" else writing, stderr=subprocess.PIPE, text=True
        )
    os.close(writing)
    lock = tmp_path / "data" / "hansei.lock"
    until(lambda: lock.exists() and "127.0.0.1:" in lock.read_text(), "the collector to listen")
    process.terminate()
    assert process.communicate(timeout=60) == (None, "")
    assert process.returncode == 0


def test_prices(hansei: Hansei, data: Path) -> None:
    """The prices of the models that were called are printed, and are then in the tables."""
    ran = hansei("prices", "--data", data)
    assert (ran.code, ran.err) == (0, "")
    line, count = ran.out.splitlines()
    assert (line.startswith("openai  gpt-4o-mini  "), count) == (True, "1 models")
    assert hansei("query", "--data", data, "SELECT CostUsd > 0 FROM genai_calls FORMAT TSV").out == "1\n"


# --- query, over a collector at work ---


def test_a_running_collector(hansei: Hansei, serve: Any, clients: Any, some_spans: Any) -> None:
    """While a collector runs, its data is read through its SQL endpoint, with its key."""
    serving = serve(HANSEI_API_KEY="s3cret")
    client = clients["grpc"](serving.grpc)
    assert client.export(some_spans(3).SerializeToString(), key="Bearer s3cret").code == "OK"
    client.close()
    serving.wait_stored()
    count = ("query", "--data", serving.data, "SELECT count() AS spans FROM otel_traces")
    ran = hansei(*count, HANSEI_API_KEY="s3cret")
    assert (ran.code, ran.out, ran.err) == (0, "   ┌─spans─┐\n1. │     3 │\n   └───────┘\n", "")
    assert hansei(*count, "--format", "TSV", HANSEI_API_KEY="s3cret").out == "3\n"
    assert "516" in refused(hansei(*count))
    assert "516" in refused(hansei(*count, HANSEI_API_KEY="wrong"))
    bad = refused(hansei("query", "--data", serving.data, "SELECT nothing FROM otel_traces", HANSEI_API_KEY="s3cret"))
    assert "Unknown expression identifier `nothing`" in bad
    write = refused(hansei("query", "--data", serving.data, "TRUNCATE TABLE otel_traces", HANSEI_API_KEY="s3cret"))
    assert "TRUNCATE" in write.upper()
    assert hansei(*count, "--format", "TSV", HANSEI_API_KEY="s3cret").out == "3\n"
