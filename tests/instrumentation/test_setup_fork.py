"""Processes that fork: each sends its own spans and events once, and none hangs or dies."""

import multiprocessing
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from .otlp_receiver import PATIENCE, Received, clean, eventually, grpc_receiver, http_receiver, run


@pytest.fixture
def collector() -> Iterator[Received]:
    """A gRPC receiver for the time of a test."""
    with grpc_receiver() as received:
        yield received


FORKS = """
    import os, sys, threading, time, hansei
    from opentelemetry import trace
    from opentelemetry._logs import get_logger
    hansei.instrument(endpoint="{url}", protocol="{protocol}")
    tracer, logger, busy = trace.get_tracer("shop"), get_logger("shop"), True

    def load():
        while busy:
            tracer.start_span("parent").end()
            time.sleep(0.001)

    thread = threading.Thread(target=load)
    thread.start()
    time.sleep(0.2)
    children = []
    for _ in range(20):
        child = os.fork()
        if child == 0:
            tracer.start_span("child").end()
            logger.emit(event_name="born")
            os._exit(0 if hansei.flush() else 1)
        children.append(child)
    print([os.waitpid(child, 0)[1] for child in children])
    busy = False
    thread.join()
"""


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_fork_under_load_loses_nothing(protocol: str) -> None:
    """Twenty forks while the parent sends all the time: every child sends its span and its event once."""
    receiver = grpc_receiver if protocol == "grpc" else http_receiver
    with receiver() as collector:
        done = run(
            FORKS.format(url=collector.url, protocol=protocol),
            OTEL_BSP_SCHEDULE_DELAY="2",
            PYTHONWARNINGS="ignore::DeprecationWarning",  # Python 3.12 and later advise against such forks
        )
        assert done.stdout == f"{[0] * 20}\n"
        assert done.stderr == ""
        names = collector.span_names()
        assert names["child"] == collector.event_names()["born"] == 20
        assert len({span.span_id for span in collector.spans()}) == names["child"] + names["parent"]


def test_a_fork_does_not_wait_for_a_collector_that_hangs() -> None:
    """It breaks the request off after a fifth of a second; later forks do not wait at all."""
    program = """
        import os, socket, time, hansei
        from opentelemetry import trace
        deaf = socket.create_server(("127.0.0.1", 0))
        hansei.instrument(endpoint=f"http://127.0.0.1:{deaf.getsockname()[1]}")
        trace.get_tracer("shop").start_span("work").end()
        time.sleep(0.3)
        for _ in range(2):
            started = time.perf_counter()
            child = os.fork()
            if child == 0:
                os._exit(0)
            print(time.perf_counter() - started)
            os.waitpid(child, 0)
            time.sleep(0.2)
    """
    first, second = map(float, run(program, OTEL_BSP_SCHEDULE_DELAY="10").stdout.split())
    assert 0.1 < first < 1
    assert second < 0.2


POOL = """
import multiprocessing, sys, hansei
from concurrent.futures import ProcessPoolExecutor
from opentelemetry import trace
hansei.instrument(endpoint=sys.argv[1])

def work(number):
    trace.get_tracer("shop").start_span("task").end()

if __name__ == "__main__":
    work(0)
    context = multiprocessing.get_context(sys.argv[2])
    with context.Pool(2) as pool:
        pool.map(work, range(8))
        pool.close()
        pool.join()
    with ProcessPoolExecutor(2, mp_context=context) as executor:
        list(executor.map(work, range(8)))
"""


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_workers_of_a_pool_send_what_they_have_before_they_end(
    method: str, collector: Received, tmp_path: Path
) -> None:
    """However they are started: multiprocessing ends its children without Python's own exit."""
    path = tmp_path / "pool.py"
    path.write_text(POOL)
    command = [sys.executable, str(path), collector.url, method]
    done = subprocess.run(command, env=clean({}), capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert collector.span_names() == {"task": 17}
    assert done.stderr == ""


def test_celerys_workers_are_asked_by_its_signal(collector: Received) -> None:
    """They end without Python's exit and without finalizers; the signal is of the name that Celery sends."""
    program = f"""
        import os, sys, types
        handlers = []
        signals = types.ModuleType("celery.signals")
        signals.worker_process_shutdown = types.SimpleNamespace(connect=lambda f, weak: handlers.append(f))
        import hansei
        from opentelemetry import trace
        hansei.instrument(endpoint="{collector.url}")
        sys.modules["celery.signals"] = signals
        child = os.fork()
        if child == 0:
            trace.get_tracer("shop").start_span("task").end()
            for handler in handlers:
                handler(sender=None, pid=os.getpid(), exitcode=0)
            os._exit(0)
        os.waitpid(child, 0)
        print(len(handlers))
    """
    assert run(program).stdout == "1\n"
    assert collector.span_names() == {"task": 1}


SERVED = """
import os, hansei
from opentelemetry import trace
hansei.instrument()
trace.get_tracer("shop").start_span("loaded").end()

def app(environ, start_response):
    trace.get_tracer("shop").start_span(f"request {os.getpid()}").end()
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


def test_gunicorns_workers_send_their_own(collector: Received, tmp_path: Path) -> None:
    """Two workers of an application that was loaded before the fork; SIGTERM loses nothing."""
    pytest.importorskip("gunicorn")
    (tmp_path / "served.py").write_text(SERVED)
    flags = ["--preload", "--workers=2", "--bind=127.0.0.1:0", "--worker-tmp-dir", str(tmp_path), "--no-control-socket"]
    environment = clean({"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "60000"})
    with subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *flags, "served:app"],
        cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        assert server.stderr
        said = []
        for line in server.stderr:
            said.append(line)
            if "Listening at" in line:
                break
        else:
            pytest.fail("".join(said))
        url = line.split("Listening at: ")[1].split()[0]
        time.sleep(0.3)
        for _ in range(12):
            with urllib.request.urlopen(url, timeout=5) as answer:
                assert answer.read() == b"ok"
        server.send_signal(signal.SIGTERM)
        rest = server.stderr.read()
    eventually(lambda: sum(collector.span_names().values()) >= 13)
    names = collector.span_names()
    assert sum(names.values()) == 13
    assert names["loaded"] == 1
    assert "Traceback" not in rest
