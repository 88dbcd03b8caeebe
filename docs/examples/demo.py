"""The demonstration: a collector, the example application, what people said of it, and SQL over it all.

    python docs/examples/demo.py

It asks the real OpenAI API when OPENAI_API_KEY is set, else the model server beside this file. A simulated day of
the same assistant is put beside it, so that the pages have something to show. On a terminal it stays up until
Ctrl-C, to be looked around in; otherwise it ends once it has shown everything.
"""

import os
import re
import subprocess
import sys
import tempfile
import textwrap
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import improvement
import reviewers
import traffic
import visitors
from model_server import serve

import hansei

HERE = Path(__file__).parent
LISTENERS = {"otlp-grpc": 4317, "otlp-http": 4318, "sql": 8123, "ui": 8600}
HANSEI = (sys.executable, "-m", "hansei.cli")
WIDTH = 96
THUMBS = (
    ("How often should I descale the machine?", True, None),
    ("How long does the descaling cycle run?", False, "I only asked for the minutes"),
    ("Can I put the milk jug in the dishwasher?", True, "Good to know before I tried"),
    ("Do you sell tea?", False, "No answer, and no link to a shop"),
    ("What does the red light mean?", False, "Sorry is not an answer"),
)
"""Of which answers the customers of chat.py say what."""
QUERIES = {
    "The last eight model calls": """
        SELECT formatDateTime(Timestamp, '%H:%i:%S') AS Time, UserId, RequestModel AS Model,
            InputTokens AS Input, OutputTokens AS Output, round(CostUsd, 6) AS CostUsd,
            round(DurationMs) AS Ms, ErrorType
        FROM genai_calls WHERE UserId != '' ORDER BY Timestamp DESC LIMIT 8""",
    "The day, by model": """
        SELECT RequestModel AS Model, count() AS Calls, countIf(ErrorType != '') AS Errors,
            round(sum(CostUsd), 4) AS CostUsd, round(quantile(0.95)(DurationMs)) AS P95Ms
        FROM genai_calls GROUP BY Model ORDER BY Calls DESC""",
    "Thumbs down, and why": """
        SELECT formatDateTime(CreatedAt, '%H:%i') AS Time, SourceId AS Who, Rationale, TraceId
        FROM feedback WHERE Name = 'helpful' AND Value = 'false' AND Rationale != ''
        ORDER BY UpdatedAt DESC LIMIT 6""",
    "The trace that was marked down first": """
        SELECT SpanName, SpanKind, ServiceName, round(Duration / 1e6, 1) AS Ms, StatusCode
        FROM otel_traces WHERE TraceId = '{trace_id}' ORDER BY Timestamp""",
}


@dataclass(frozen=True)
class Answered:
    """A turn of chat.py, as it printed it."""

    user: str
    question: str
    trace_id: str


def main() -> None:
    """Run it all, and clean up."""
    # What is set for another collector, or another service, is not meant for this one.
    for name in [name for name in os.environ if name.startswith(("HANSEI_", "OTEL_"))]:
        del os.environ[name]
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hansei-demo-"))) / "data"
        addresses = stack.enter_context(collector(data))
        demonstrate(data, addresses)
        if sys.stdout.isatty():
            print("\nCtrl-C stops the demonstration and removes its data.", flush=True)
            try:
                while True:
                    time.sleep(3600)
            except KeyboardInterrupt:
                print()


def demonstrate(data: Path, addresses: Mapping[str, str]) -> None:
    """Show what there is, at a collector with these addresses and this data folder."""
    answered = run_application(addresses["otlp-grpc"])
    marked_down = press_thumbs(answered, addresses["ui"])
    turns, said = add_day(addresses)
    wait_for([turn.trace_id for turn in answered], addresses["sql"])
    session = ask_experts(turns, said, addresses["ui"])
    link = session.reviewer_links["rie"]
    _, better = show_improvement(session)
    for title, sql in QUERIES.items():
        sql = re.sub(r"\n\s+", "\n", sql.format(trace_id=marked_down)).strip()
        print(f"== {title}\n{sql}\n\n{query(data, sql)}", flush=True)
    print("== Listening")
    for name, address in addresses.items():
        print(f"   {name:<10} http://{address}")
    print(f'\n   hansei query --data {data} "SELECT * FROM genai_calls LIMIT 3"')
    print(f"   curl 'http://{addresses['sql']}/?query=SELECT+count()+FROM+otel_traces'")
    print(f"\nOpen http://{addresses['ui']}/overview")
    print(f"The answer that was marked down: http://{addresses['ui']}/traces/{marked_down}")
    print(f"The run with the better prompt: {better.url}")
    print(f"The link of an expert: {link}", flush=True)


def _verdict(row: hansei.RunRow) -> object:
    return next((score.value for score in row.scores if score.name == "correctness"), None)


@contextmanager
def collector(data: Path, ports: Mapping[str, int] = LISTENERS) -> Iterator[dict[str, str]]:
    """``hansei serve`` on these ports, or on free ones where those are taken; yields its addresses."""
    process, addresses = start(data, ports)
    if process.poll() is not None:
        process, addresses = start(data, dict.fromkeys(LISTENERS, 0))
    if process.poll() is not None:
        sys.exit(process.returncode)
    with process:
        try:
            yield addresses
        finally:
            process.terminate()


def start(data: Path, ports: Mapping[str, int]) -> tuple[subprocess.Popen[str], dict[str, str]]:
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
    found: list[str] = []
    for line in process.stdout:
        if line.startswith("data"):
            return process, dict(zip(LISTENERS, found, strict=True))
        found += re.findall(r"http://(\S+)", line)
    process.communicate()
    return process, {}


def run_application(otlp: str) -> list[Answered]:
    """Run chat.py against a model, and show and answer what it printed."""
    environment = os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{otlp}"}
    with ExitStack() as stack:
        if os.environ.get("OPENAI_API_KEY"):
            print("== The support assistant, answered by the OpenAI API (OPENAI_API_KEY is set)\n", flush=True)
        else:
            environment |= {"OPENAI_BASE_URL": stack.enter_context(serve(port=0)), "OPENAI_API_KEY": "none"}
            print("== The support assistant, answered by a local model server")
            print("   (set OPENAI_API_KEY for the real API)\n", flush=True)
        output = subprocess.run(
            (sys.executable, str(HERE / "chat.py")), env=environment, stdout=subprocess.PIPE, text=True, check=True
        ).stdout
    for line in output.rstrip().splitlines():
        print(textwrap.fill(line, WIDTH, subsequent_indent="  "))
    return turns_of(output)


def turns_of(output: str) -> list[Answered]:
    """The turns that chat.py printed."""
    return [Answered(*turn) for turn in re.findall(r"(?ms)^(\w+): ([^\n]+)\n.*?^  trace ([0-9a-f]{32})$", output)]


def press_thumbs(answered: list[Answered], pages: str) -> str:
    """Let the customers press the thumbs below their answers; answers the first trace that was marked down."""
    print("\n== What the customers say of it, with the thumbs below each answer")
    marked_down = []
    for question, up, comment in THUMBS:
        turn = next(turn for turn in answered if turn.question == question)
        visitors.press(pages, turn.trace_id, turn.user, up, comment)
        said = f": {comment}" if comment else ""
        print(f"{turn.user} pressed {'👍' if up else '👎'} on “{question}”{said}")
        if not up:
            marked_down.append(turn.trace_id)
    return marked_down[0]


def add_day(addresses: Mapping[str, str]) -> tuple[list[traffic.Turn], list[visitors.Said]]:
    """Put a simulated day beside it, which ends a minute before now; answers its turns and what was said of them."""
    turns = traffic.day(time.time_ns() - 60 * traffic.SECOND)
    said = visitors.assessments(turns)
    traffic.send(turns, addresses["otlp-grpc"])
    visitors.send(said, addresses["otlp-http"])
    users, conversations = {turn.user for turn in turns}, {turn.conversation for turn in turns} - {""}
    print("\n== A simulated day of the same assistant, so that the pages have something to show")
    print(
        f"{len(turns)} traces of {len(users)} customers in {len(conversations)} conversations, "
        f"{len(said)} assessments\n",
        flush=True,
    )
    return turns, said


def ask_experts(turns: Sequence[traffic.Turn], said: Sequence[visitors.Said], pages: str) -> hansei.LabelingSession:
    """Have two experts look at what customers marked down that day; one of them has done so."""
    os.environ["HANSEI_URL"] = f"http://{pages}"
    thumbs = (one.assessment for one in said if one.assessment.name == "helpful")
    session = reviewers.labeling_session([thumb.trace_id for thumb in thumbs if not thumb.value and thumb.trace_id])
    items = session.progress()["items"]
    reviewers.answer(session.reviewer_links["ken"], {turn.trace: turn for turn in turns}, items, seed=2, moody=0.05)
    return session


def show_improvement(session: hansei.LabelingSession) -> tuple[hansei.EvaluationResult, hansei.EvaluationResult]:
    """Run the assistant again with the prompt of before and a better one, and show what that changed."""
    print("== What the expert expected, the prompt of before and a better one", flush=True)
    with ExitStack() as stack:
        if not os.environ.get("OPENAI_API_KEY"):
            os.environ |= {"OPENAI_BASE_URL": stack.enter_context(serve(port=0)), "OPENAI_API_KEY": "none"}
            stack.callback(os.environ.pop, "OPENAI_BASE_URL")
            stack.callback(os.environ.pop, "OPENAI_API_KEY")
        before, after = improvement.improve(session)
    pairs = list(zip(before.rows, after.rows, strict=True))
    mended = ((row, again) for row, again in pairs if (_verdict(row), _verdict(again)) == ("no", "yes"))
    row, again = next(mended, pairs[0])
    for name, text in (
        ("asked", row.inputs.get("question")), ("before", row.outputs), ("after", again.outputs),
        ("expected", row.expectations.get("expected_response")),
    ):  # fmt: skip
        print(textwrap.fill(f"{name + ':':<10}{text}", WIDTH, subsequent_indent=" " * 10))
    print(f"\n{hansei.compare(before, after)}\n", flush=True)
    return before, after


def wait_for(trace_ids: Sequence[str], sql: str) -> None:
    """Return once every trace can be read, and what it cost; the application has exported them when it ended."""
    wanted = ", ".join(f"'{trace_id}'" for trace_id in trace_ids)
    arrived = f"SELECT uniqExact(TraceId) = {len(trace_ids)} FROM otel_traces WHERE TraceId IN ({wanted})"
    # What came last is stored last: the day's assessments.
    said = "SELECT count() > 0 FROM feedback WHERE Name = 'satisfaction'"
    until(sql, f"SELECT ({arrived}) AND ({said})", "the traces did not arrive")
    # Prices of a model that was never called before are looked up a moment later.
    until(sql, "SELECT countIf(ErrorType = '' AND CostUsd IS NULL) = 0 FROM genai_calls", None, patience=3)


def until(sql: str, condition: str, otherwise: str | None, patience: float = 10) -> None:
    """Ask the collector until it answers 1; after ``patience`` seconds end with ``otherwise``, or go on."""
    for _ in range(int(patience / 0.1)):
        with urllib.request.urlopen(f"http://{sql}/?query={quote(condition)}") as answer:
            if answer.read().strip() == b"1":
                return
        time.sleep(0.1)
    if otherwise:
        sys.exit(otherwise)


def query(data: Path, sql: str) -> str:
    """What ``hansei query`` prints."""
    return subprocess.run(
        (*HANSEI, "query", f"--data={data}", sql), stdout=subprocess.PIPE, text=True, check=True
    ).stdout


if __name__ == "__main__":
    main()
