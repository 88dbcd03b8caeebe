"""The demonstration: a collector, the example application, and SQL over what it did.

    python docs/examples/demo.py

It asks the real OpenAI API when OPENAI_API_KEY is set, else the model server beside this file. On a terminal
it stays up until Ctrl-C, to be looked around in; otherwise it ends once it has shown everything.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from model_server import serve

HERE = Path(__file__).parent
LISTENERS = {"otlp-grpc": 4317, "otlp-http": 4318, "sql": 8123, "ui": 8600}
HANSEI = (sys.executable, "-m", "hansei.cli")
QUERIES = {
    "Every model call": """
        SELECT Timestamp, ConversationId, UserId, RequestModel, InputTokens, OutputTokens,
            round(CostUsd, 6) AS CostUsd, round(DurationMs) AS Ms, ErrorType
        FROM genai_calls ORDER BY Timestamp""",
    "Conversations": """
        SELECT SessionId, UserId, Traces, Calls, InputTokens, OutputTokens, round(CostUsd, 6) AS CostUsd, Errors
        FROM genai_sessions ORDER BY Start""",
    "One trace": """
        SELECT SpanName, SpanKind, ServiceName, round(Duration / 1e6, 1) AS Ms, StatusCode
        FROM otel_traces WHERE TraceId = '{trace_id}' ORDER BY Timestamp""",
}


def main() -> None:
    """Run it all, and clean up."""
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hansei-demo-"))) / "data"
        addresses = stack.enter_context(collector(data))
        trace_ids = run_application(addresses["otlp-grpc"], stack)
        wait_for_traces(data, trace_ids)
        for title, sql in QUERIES.items():
            sql = re.sub(r"\n\s+", "\n", sql.format(trace_id=trace_ids[0])).strip()
            print(f"== {title}\n{sql}\n\n{query(data, sql)}", flush=True)
        print("== Listening")
        for name, address in addresses.items():
            print(f"   {name:<10} http://{address}")
        print(f'\n   hansei query --data {data} "SELECT * FROM genai_calls FORMAT Vertical"')
        print(f"   curl 'http://{addresses['sql']}/?query=SELECT+count()+FROM+otel_traces'")
        if sys.stdout.isatty():
            print("\nCtrl-C stops the demonstration and removes its data.", flush=True)
            try:
                while True:
                    time.sleep(3600)
            except KeyboardInterrupt:
                print()


@contextmanager
def collector(data: Path) -> Iterator[dict[str, str]]:
    """``hansei serve`` on its usual ports, or on free ones where those are taken; yields its addresses."""
    process, addresses = start(data, LISTENERS)
    if process.poll() is not None:
        process, addresses = start(data, dict.fromkeys(LISTENERS, 0))
    if process.poll() is not None:
        sys.exit(process.returncode)
    try:
        yield addresses
    finally:
        process.terminate()
        process.wait()


def start(data: Path, ports: dict[str, int]) -> tuple[subprocess.Popen[str], dict[str, str]]:
    """Start a collector and read where it listens."""
    flags = [f"--{name}=127.0.0.1:{port}" for name, port in ports.items()]
    fallback_follows = any(ports.values())
    process = subprocess.Popen(
        (*HANSEI, "serve", f"--data={data}", *flags),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if fallback_follows else None,
        text=True,
        start_new_session=True,  # Ctrl-C is for this script, which then stops the collector
    )
    assert process.stdout is not None
    found = []
    for line in process.stdout:
        if line.startswith("data"):
            return process, dict(zip(("otlp-grpc", "otlp-http", "sql", "ui"), found, strict=True))
        found += re.findall(r"http://(\S+)", line)
    process.wait()
    return process, {}


def run_application(otlp: str, stack: ExitStack) -> list[str]:
    """Run chat.py against a model; answers the trace ids it printed."""
    environment = os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{otlp}"}
    if os.environ.get("OPENAI_API_KEY"):
        print("== The support assistant, answered by the OpenAI API (OPENAI_API_KEY is set)\n", flush=True)
    else:
        environment |= {"OPENAI_BASE_URL": stack.enter_context(serve(port=0)), "OPENAI_API_KEY": "none"}
        print("== The support assistant, answered by a local model server (set OPENAI_API_KEY for the real API)\n")
    sys.stdout.flush()
    output = subprocess.run(
        (sys.executable, str(HERE / "chat.py")), env=environment, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    print(output, flush=True)
    return re.findall(r"trace ([0-9a-f]{32})", output)


def wait_for_traces(data: Path, trace_ids: list[str]) -> None:
    """Return once every trace can be read; the application has exported them when it ended."""
    wanted = ", ".join(f"'{trace_id}'" for trace_id in trace_ids)
    sql = f"SELECT uniqExact(TraceId) FROM otel_traces WHERE TraceId IN ({wanted}) FORMAT TSV"
    for _ in range(100):
        if query(data, sql).strip() == str(len(trace_ids)):
            break
        time.sleep(0.1)
    else:
        sys.exit("the traces did not arrive")
    # Prices of a model that was never called before are looked up a moment later.
    for _ in range(20):
        if query(data, "SELECT count(CostUsd) FROM genai_calls FORMAT TSV").strip() != "0":
            break
        time.sleep(0.1)


def query(data: Path, sql: str) -> str:
    """What ``hansei query`` prints."""
    return subprocess.run(
        (*HANSEI, "query", f"--data={data}", sql), stdout=subprocess.PIPE, text=True, check=True
    ).stdout


if __name__ == "__main__":
    main()
