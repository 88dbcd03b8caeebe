"""A batch over 100 000 traces with three scorers that are code, the server beside it; and what it holds in memory."""

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

from benchmarks.server import Server
from hansei.collector.migrations import migrate
from hansei.collector.store import EmbeddedStore

TRACES = (10_000, 100_000)
"""Of two batches; memory is the same if it does not grow with them."""
BOUND = 2_000
"""Traces a second, the server's work included."""
_SCHEMA = ("hansei.collector.schema", "hansei.feedback.schema", "hansei.evaluation.schema")
_FILL = """
INSERT INTO otel_traces
    (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, SpanAttributes, Duration, StatusCode)
SELECT
    fromUnixTimestamp64Nano({start:Int64} + toInt64(intDiv(number, 2)) * 1000000 + (number % 2) * 1000),
    lower(hex(sipHash128({service:String}, intDiv(number, 2)))),
    lower(hex(sipHash64(number))),
    if(number % 2 = 0, '', lower(hex(sipHash64(number - 1)))),
    if(number % 2 = 0, 'answer', 'chat gpt-4o-mini'),
    if(number % 2 = 0, 'Internal', 'Client'),
    {service:String},
    if(number % 2 = 0,
        map('hansei.span.inputs', concat('{"question":"', repeat('How often is it cleaned? ', 20), '"}'),
            'hansei.span.outputs', concat('"', repeat('Once a week, with hot water. ', 20), '"')),
        map('gen_ai.operation.name', 'chat', 'gen_ai.request.model', 'gpt-4o-mini',
            'gen_ai.usage.input_tokens', '120', 'gen_ai.usage.output_tokens', '80',
            'gen_ai.input.messages', repeat('How often is it cleaned? ', 20),
            'gen_ai.output.messages', repeat('Once a week, with hot water. ', 20))),
    500000000,
    'Ok'
FROM numbers({first:UInt64}, {spans:UInt64})
"""
_SCORERS = """
from hansei.evaluation.scorer import scorer


@scorer
def length(outputs):
    return len(outputs)


@scorer
def names_water(outputs):
    return "water" in outputs


@scorer
def is_question(inputs):
    return inputs["question"].strip().endswith("?")
"""
_CLIENT = """
import json, resource, sys, threading, time
from pathlib import Path
from bench_scorers import is_question, length, names_water
from hansei.evaluation.batch.config import BatchConfig
from hansei.evaluation.batch.runner import run_batch

config = BatchConfig.of({
    "name": sys.argv[1],
    "subjects": {"services": [sys.argv[1]], "lateness": 0, "window": "2d"},
    "scorers": [length, names_water, is_question],
})
used = lambda: resource.getrusage(resource.RUSAGE_SELF)
before, began = used(), time.perf_counter()
result = run_batch(config, progress=False)
seconds, after = time.perf_counter() - began, used()
cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": after.ru_maxrss * 1024, "funnel": result.funnel}))
"""


def run() -> None:
    """Print what was measured, and what it may be."""
    directory = Path(tempfile.mkdtemp(prefix="hansei-bench-"))
    try:
        # The engine opens one folder a process.
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            pool.apply(_fill, (directory,))
        (directory / "bench_scorers.py").write_text(textwrap.dedent(_SCORERS))
        with Server(data=directory) as server:
            for traces in TRACES:
                _measure(server, directory, traces)
    finally:
        shutil.rmtree(directory)


def _fill(directory: Path) -> None:
    store = EmbeddedStore(directory / "clickhouse")
    client = store.client()
    migrate(client, packages=_SCHEMA)
    start = time.time_ns() - 7_200 * 10**9
    for traces in TRACES:
        for first in range(0, traces, 20_000):
            spans = 2 * min(20_000, traces - first)
            client.command(_FILL, {"start": start, "first": 2 * first, "spans": spans, "service": f"bench-{traces}"})
    store.close()


def _measure(server: Server, directory: Path, traces: int) -> None:
    environment = {
        **os.environ,
        "HANSEI_URL": f"http://{server.addresses['pages']}",
        "PYTHONPATH": str(directory),
    }
    spent = _cpu_seconds(server)
    ran = subprocess.run(
        [sys.executable, "-c", _CLIENT, f"bench-{traces}"], env=environment, stdout=subprocess.PIPE, check=True
    )
    told = json.loads(ran.stdout)
    counts = told["funnel"]["scorers"]
    assert all(each["scored"] == traces for each in counts.values()), counts
    served = _cpu_seconds(server) - spent
    rate = traces / told["seconds"]
    print(
        f"{traces:>7} traces, 3 scorers: {rate:>6.0f} traces/s (at least {BOUND}), {told['seconds']:.1f} s; CPU per "
        f"trace {told['cpu'] / traces * 1e6:.0f} µs here, {served / traces * 1e6:.0f} µs in the server; "
        f"{told['peak'] / 1024**2:.0f} MiB at most",
        flush=True,
    )


def _cpu_seconds(server: Server) -> float:
    """What the server's process has used, merges included."""
    fields = Path(f"/proc/{server._process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
