"""50 reviewers at once in a session of 100 000 items: how long they wait for the next item and for handing in."""

import http.client
import json
import multiprocessing
import os
import random
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from benchmarks.server import Server
from hansei.collector.migrations import migrate
from hansei.collector.store import EmbeddedStore
from hansei.feedback.labeling.desks import Desks
from hansei.feedback.labeling.inputs import InputCategorical, InputPassFail
from hansei.feedback.labeling.model import (
    REVIEWER,
    LabelingSessionRecord,
    LabelSchemaVersion,
    ReviewerRecord,
    SessionSettings,
)
from hansei.feedback.labeling.reviewers import insert_reviewer, link_hash
from hansei.feedback.labeling.schemas import insert_schema
from hansei.feedback.labeling.sessions import insert_session
from hansei.feedback.web.reader import Reader
from hansei.feedback.web.tables import tables_of

ITEMS = 100_000
DONE = 60_000
"""Items that were finished before, by two reviewers each."""
REVIEWERS = 50
PAUSE = 5.0
"""Seconds that a reviewer thinks, on average."""
SECONDS = 40.0
BOUND = 100
"""Milliseconds for the next item."""

_QUESTIONS = (
    LabelSchemaVersion("correct", 1, "feedback", InputPassFail().to_json(), "Is the answer right?"),
    LabelSchemaVersion(
        "tone", 1, "feedback", InputCategorical(["kind", "neutral", "rude"]).to_json(), "How is it said?"
    ),
)
_ANSWERS = {"0": {"value": True}, "1": {"value": "kind"}}
"""By the number of the question."""
_FILL_ITEMS = """
INSERT INTO labeling_items (SessionId, ItemId, Kind, TraceId, Reason, Position, Written)
SELECT 'bench', concat('t-', TraceId), 'trace', TraceId, 'sample', number + 1, number + 1
FROM (SELECT number, lower(hex(sipHash128(number))) AS TraceId FROM numbers({items:UInt32}))
"""
_FILL_WORK = """
INSERT INTO labeling_work (SessionId, ItemId, Reviewer, State, LeasedAt, Draft, Seconds, Written)
SELECT
    'bench', concat('t-', lower(hex(sipHash128(number % {done:UInt32})))),
    concat('early-', toString(intDiv(number, {done:UInt32}))),
    'done', fromUnixTimestamp64Milli(toInt64(1763640000000 + number)),
    '{"answers":{"correct":{"value":true}},"recorded":{"correct":{"value":true}},"revision":1}', 20, number + 1
FROM numbers({rows:UInt32})
"""


def run() -> None:
    """Print what was waited for, and what it may be."""
    directory = Path(tempfile.mkdtemp(prefix="hansei-bench-"))
    try:
        # The engine opens one folder a process.
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            pool.apply(_fill, (directory,))
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            pool.apply(_measure_desk, (directory,))
        with Server(data=directory) as server:
            _measure(server)
    finally:
        shutil.rmtree(directory)


def _fill(directory: Path) -> None:
    store = EmbeddedStore(directory / "clickhouse")
    client = store.client()
    migrate(client, packages=("hansei.collector.schema", "hansei.feedback.schema"))
    labeling = tables_of(store, Reader(store).query)
    for schema in _QUESTIONS:
        insert_schema(labeling, schema)
    asked = tuple((schema.name, schema.version) for schema in _QUESTIONS)
    insert_session(
        labeling, LabelingSessionRecord("bench", "bench", "run-bench", asked, SessionSettings(reviewers_per_item=2))
    )
    expires = time.time_ns() // 1_000_000 + 86_400_000
    for number in range(REVIEWERS):
        insert_reviewer(
            labeling, ReviewerRecord("bench", f"reviewer-{number}", REVIEWER, link_hash(_link(number)), expires)
        )
    client.command(_FILL_ITEMS, {"items": ITEMS})
    client.command(_FILL_WORK, {"done": DONE, "rows": 2 * DONE})
    store.close()


def _measure_desk(directory: Path) -> None:
    """The desk by itself, in this process: a fresh item each time."""
    store = EmbeddedStore(directory / "clickhouse")
    server = SimpleNamespace(store=store, ingest=None, settings=SimpleNamespace(redact=None))
    desks = Desks(cast(Any, SimpleNamespace(server=server, reader=Reader(store))))
    waits: list[float] = []

    def ask(number: int) -> None:
        started = time.perf_counter()
        assert desks.of("bench").next_item(f"guest-{number}") is not None
        waits.append((time.perf_counter() - started) * 1000)

    ask(0)
    print(f"{'reading the session, and an item':<40}     {waits.pop():>6.0f} ms", flush=True)
    for number in range(1, 201):
        ask(number)
    _print("a fresh item, one after the other", waits, BOUND)
    waits.clear()
    with ThreadPoolExecutor(REVIEWERS) as threads:
        list(threads.map(ask, range(1000, 1000 + REVIEWERS)))
    _print("50 fresh items in one moment", waits)
    store.close()


def _link(number: int) -> str:
    return f"{number:043d}"


class Reviewer:
    """Somebody with a link."""

    def __init__(self, server: Server, number: int) -> None:
        self._host = server.addresses["pages"]
        self._base = f"/review/{_link(number)}"
        self.nexts: list[float] = []
        self.handed_in: list[float] = []

    def next(self) -> str:
        """The address of the next item."""
        answer, _ = self._ask("GET", f"{self._base}/next", self.nexts)
        assert answer.status in (302, 303), answer.status
        return str(answer.headers["Location"])

    def hand_in(self, address: str) -> None:
        """Answers, as the page sends them; what comes back names the item after."""
        body = json.dumps({"answers": _ANSWERS, "seconds": 3, "revision": 1}).encode()
        answer, text = self._ask("POST", f"{address}/submit", self.handed_in, body)
        assert answer.status == 200, (answer.status, text)

    def _ask(
        self, method: str, path: str, waits: list[float], body: bytes | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        headers = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
        started = time.perf_counter()
        connection = http.client.HTTPConnection(self._host, timeout=120)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        waits.append((time.perf_counter() - started) * 1000)
        return answer, text


def _measure(server: Server) -> None:
    first = Reviewer(server, 0)
    first.next()
    print(f"{'the first request, all is read':<40}     {first.nexts[0]:>6.0f} ms", flush=True)
    reviewers = [Reviewer(server, number) for number in range(REVIEWERS)]
    gate = threading.Barrier(REVIEWERS)

    def at_once(one: Reviewer) -> None:
        gate.wait()
        one.next()

    _each(reviewers, at_once)
    waits = [wait for one in reviewers for wait in one.nexts]
    print(f"{'50 ask in one moment, the last waits':<40}     {max(waits):>6.0f} ms", flush=True)
    for one in reviewers:
        one.nexts.clear()
    until, before = time.monotonic() + SECONDS, _cpu_seconds(server)

    def work(one: Reviewer) -> None:
        time.sleep(random.uniform(0, PAUSE))
        while time.monotonic() < until:
            address = one.next()
            time.sleep(random.uniform(0.5, 1.5) * PAUSE)
            one.hand_in(address)

    _each(reviewers, work)
    spent = _cpu_seconds(server) - before
    _print("the next item", [wait for one in reviewers for wait in one.nexts], BOUND)
    handed_in = [wait for one in reviewers for wait in one.handed_in]
    _print("handing in, and getting the next item", handed_in)
    print(f"{'CPU of the server for an item':<40}     {spent * 1000 / len(handed_in):>6.0f} ms", flush=True)


def _cpu_seconds(server: Server) -> float:
    """What the server's process has used, merges included."""
    fields = Path(f"/proc/{server._process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _each(reviewers: list[Reviewer], work: Callable[[Reviewer], None]) -> None:
    with ThreadPoolExecutor(len(reviewers)) as threads:
        list(threads.map(work, reviewers))


def _print(name: str, waits: list[float], bound: int | None = None) -> None:
    p95 = sorted(waits)[int(len(waits) * 0.95)]
    limit = f" (at most {bound} ms)" if bound else ""
    median = statistics.median(waits)
    print(f"{name:<40} p50 {median:>6.0f} ms  p95 {p95:>6.0f} ms{limit}, {len(waits)} times", flush=True)
