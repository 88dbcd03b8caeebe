"""Work of asyncio for those who wait for it, also where an event loop runs already."""

import asyncio
import contextvars
import signal
import threading
import time

import pytest

from hansei.evaluation.judges.alone import run_blocking


def within_a_loop(work: object) -> object:
    """As a cell of a notebook, whose thread has a loop that runs and hears interrupts as KeyboardInterrupt."""

    async def cell() -> object:
        return work() if callable(work) else work

    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(cell())
    finally:
        loop.close()


def test_context() -> None:
    """Within a loop the work has the context of who waits, such as its open span."""
    name = contextvars.ContextVar("name", default="none")
    name.set("mine")

    async def work() -> str:
        await asyncio.sleep(0)
        return name.get()

    assert within_a_loop(lambda: run_blocking(work())) == "mine"


def test_interrupted() -> None:
    """Interrupted within a loop, the work is cancelled, and nothing goes on beside."""
    ended: list[str] = []

    async def work() -> None:
        waits = threading.main_thread().ident
        assert waits is not None
        threading.Timer(0.05, signal.pthread_kill, (waits, signal.SIGINT)).start()
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        within_a_loop(lambda: run_blocking(work()))
    assert ended == ["cancelled"]
    assert time.monotonic() - began < 5
