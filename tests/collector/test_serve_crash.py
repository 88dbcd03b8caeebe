"""What is acknowledged is stored, once, however ``hansei serve`` ends."""

import os
import random
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from operator import gt
from pathlib import Path
from typing import Any

import pytest

from hansei.collector.address import Address
from hansei.collector.data_lock import holder_of

from .ledger import Ledger, files
from .otlp_clients import Answer
from .processes import Ran, Serving, clean_environment

Wait = Callable[[Callable[[], object], str], None]
Serve = Callable[..., Serving]

SMALL_SEGMENTS = ("--segment-age=20ms", "--segment-size=64KiB")
"""Segments are closed faster than they can be inserted: there is always one on its way, and some wait."""


class Rounds:
    """A data folder whose collector is killed under load, again and again."""

    def __init__(self, data: Path, serve: Serve, wait: Wait, draw: random.Random) -> None:
        self.data = data
        self._serve = serve
        self._wait = wait
        self._draw = draw

    def run(self, rounds: int, ledger: Ledger, client: Callable[[Address], Any]) -> None:
        """Every round: load, SIGKILL, some starts that are killed too, a start, and a wait until all is stored."""
        # The very first start, which makes the tables, is killed as well.
        self._kill_at_start("locked")
        serving = self._start()
        for number in range(rounds):
            before = ledger.counted()
            with ledger.load([client(serving.grpc) for _ in range(4)], number):
                self._wait(lambda before=before: all(map(gt, ledger.counted(), before)), "some traces and logs")
                time.sleep(self._draw.uniform(0, 0.6))
                serving.kill()
            for moment in [(), ("locked",), ("locked", "replaying")][number % 3]:
                self._kill_at_start(moment)
            serving = self._start()
            serving.wait_stored()
        assert serving.end() == 0
        assert files(self.data) == []

    def _start(self) -> Serving:
        return self._serve(*self._draw.choice([(), SMALL_SEGMENTS, SMALL_SEGMENTS]), data=self.data)

    def _kill_at_start(self, moment: str) -> None:
        """Start, and kill a little after the folder is taken, or once something that was left has been inserted."""
        left = self._segments()
        with (self.data.parent / "killed-at-start.txt").open("w+b") as said:
            command = [sys.executable, "-m", "hansei.cli", "serve", f"--data={self.data}"]
            ports = [f"--{name}=127.0.0.1:0" for name in ("otlp-grpc", "otlp-http", "ui", "sql")]
            with subprocess.Popen([*command, *ports], stdout=said, stderr=said, env=clean_environment({})) as process:
                try:
                    self._wait(lambda: holder_of(self.data) or process.poll() is not None, "the folder to be taken")
                    if moment == "locked":
                        time.sleep(self._draw.uniform(0, 0.4))
                    else:
                        # The end of the announcement stands in where nothing was left.
                        self._wait(
                            lambda: len(self._segments()) < len(left) or b"\ndata" in Path(said.name).read_bytes(),
                            "the replay",
                        )
                    assert process.poll() is None, Path(said.name).read_text()
                finally:
                    process.kill()

    def _segments(self) -> list[Path]:
        return list((self.data / "wal").rglob("*.segment"))


@pytest.mark.parametrize("rounds", [3, pytest.param(50, marks=pytest.mark.soak)])
def test_killed_at_any_moment(
    tmp_path: Path, serve: Serve, hansei: Callable[..., Ran], clients: Any, ledger: Ledger, wait: Wait, rounds: int
) -> None:
    """SIGKILL at any moment, under load or while it starts, loses nothing acknowledged and doubles nothing."""
    # The moments of a run that failed are drawn again with its seed.
    seed = int(os.environ.get("HANSEI_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"HANSEI_TEST_SEED={seed}")
    Rounds(tmp_path / "data", serve, wait, random.Random(seed)).run(rounds, ledger, clients["grpc"])
    ledger.settle(tmp_path / "data", hansei)


@pytest.mark.parametrize(
    "flags", [SMALL_SEGMENTS, ("--segment-age=1h",)], ids=["while it inserts", "before anything was inserted"]
)
def test_sigterm_stores_what_was_acknowledged(
    serve: Serve, hansei: Callable[..., Ran], clients: Any, ledger: Ledger, wait: Wait, flags: tuple[str, ...]
) -> None:
    """SIGTERM under load: all that was acknowledged is stored, the log is empty, and late requests may be repeated."""
    serving = serve(*flags)
    senders = [clients["grpc"](serving.grpc) for _ in range(4)] + [clients["http"](serving.http) for _ in range(4)]
    with ledger.load(senders, 0):
        wait(lambda: len(ledger.acknowledged["traces"]) > 50, "some requests to be acknowledged")
        assert serving.end() == 0
    assert serving.said == "stopping: no new requests; storing what is logged\n"
    assert files(serving.data) == []
    codes = {answer.code for answer in ledger.refusals if isinstance(answer, Answer)}
    assert codes <= {"UNAVAILABLE", "CANCELLED"}
    assert serving.errors() == ""
    ledger.settle(serving.data, hansei)


def test_what_is_not_drained_in_time_is_stored_at_the_next_start(
    serve: Serve, hansei: Callable[..., Ran], clients: Any, ledger: Ledger, wait: Wait
) -> None:
    """A drain that is cut short exits with 0 and says how much stays; the next start stores it, once."""
    serving = serve("--drain-timeout=0", *SMALL_SEGMENTS)
    with ledger.load([clients["grpc"](serving.grpc) for _ in range(4)], 0):
        # More than are inserted while the receivers stop.
        wait(lambda: len(files(serving.data)) > 150, "segments to wait")
        assert serving.end() == 0
    told = re.search(r"\n(\d+) segments stay in the write-ahead log and are stored at the next start\n$", serving.said)
    # Those that were on their way when the time was up may have arrived.
    assert told
    assert 0 < len(files(serving.data)) <= int(told[1])
    again = serve()
    again.wait_stored()
    assert again.end() == 0
    assert files(serving.data) == []
    ledger.settle(serving.data, hansei)


def test_start_that_fails_leaves_the_log_alone(
    serve: Serve, serving: Serving, hansei: Callable[..., Ran], clients: Any, ledger: Ledger, wait: Wait
) -> None:
    """A start that fails for its last port, with much left to store, says so in one line; the next one stores all."""
    killed = serve(*SMALL_SEGMENTS)
    with ledger.load([clients["grpc"](killed.grpc) for _ in range(4)], 0):
        wait(lambda: len(files(killed.data)) > 10, "segments to wait")
        killed.kill()
    ports = [f"--{name}=127.0.0.1:0" for name in ("otlp-http", "ui", "sql")]
    ran = hansei("serve", "--data", killed.data, *ports, f"--otlp-grpc={serving.grpc}")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1), ran.err
    assert files(killed.data)
    again = serve()
    again.wait_stored()
    assert again.end() == 0
    ledger.settle(killed.data, hansei)


def test_server_that_is_killed(
    tmp_path: Path, serve: Serve, hansei: Callable[..., Ran], clients: Any, ledger: Ledger, wait: Wait
) -> None:
    """A ClickHouse server that is away, comes, is killed and comes back gets all that was acknowledged, once."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def server() -> Serving:
        # The engine behind ClickHouse's HTTP interface, which an administrator may write through.
        return serve(f"--sql=127.0.0.1:{port}", data=tmp_path / "server", HANSEI_ADMIN_KEY="key")

    collector = serve(f"--clickhouse=http://admin:key@127.0.0.1:{port}/default", *SMALL_SEGMENTS)
    client = clients["grpc"](collector.grpc)
    draw = random.Random(0)

    def send_some() -> None:
        assert all(ledger.send(client, draw) for _ in range(20))

    send_some()
    assert collector.ready()["store"] != "ok"
    first = server()
    wait(lambda: collector.ready()["store"] == "ok", "the server to be found")
    send_some()
    first.kill()
    send_some()
    wait(lambda: collector.ready()["store"] != "ok", "the server to be missed")
    second = server()
    send_some()
    collector.wait_stored()
    assert collector.ready()["store"] == "ok"
    client.close()
    assert collector.end() == 0
    assert files(collector.data) == []
    assert second.end() == 0
    ledger.settle(second.data, hansei)
