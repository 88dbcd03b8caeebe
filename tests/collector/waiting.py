"""Waits for what must happen."""

import time
from collections.abc import Callable

import pytest

PATIENCE = 60.0
"""Seconds after which a wait for something that must happen is a failure; never part of a claim."""


def until(condition: Callable[[], object], what: str) -> None:
    """Return once ``condition`` holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"still waiting for this after {PATIENCE:.0f} s: {what}")
        time.sleep(0.005)
