"""Asking OpenTelemetry's providers to send what they hold, for a limited time."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import cast

from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger_provider

Flush = Callable[[int], object]


def flush_providers(given: Iterable[object | None], timeout_seconds: float) -> bool:
    """Flush these providers and the process's own; whether all said yes in time.

    The SDK takes a timeout and does not keep it, so a thread does the work and is left to itself after that.
    """
    providers = [*given, trace.get_tracer_provider(), get_logger_provider(), metrics.get_meter_provider()]
    flushes = [
        cast(Flush, provider.force_flush)
        for provider in {id(provider): provider for provider in providers}.values()
        if hasattr(provider, "force_flush")
    ]
    answers: list[bool] = []
    deadline = time.monotonic() + timeout_seconds

    def run() -> None:
        for flush in flushes:
            remaining = max(1, int((deadline - time.monotonic()) * 1000))
            # An answer of None is that of a processor which has nothing to say.
            answers.append(flush(remaining) is not False)

    if flushes:
        thread = threading.Thread(target=run, name="hansei-flush", daemon=True)
        thread.start()
        thread.join(timeout_seconds)
    return len(answers) == len(flushes) and all(answers)
