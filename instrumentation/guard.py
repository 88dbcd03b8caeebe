"""The promise that observing a call never breaks it."""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_logger = logging.getLogger(__name__)


class Guard:
    """Runs one step of instrumentation at a time and keeps its failure away from the application.

    A step that fails is reported once as a warning, with its traceback, and from then on at debug level:
    a fault that every call repeats must not fill the service's log.
    """

    def __init__(self) -> None:
        self._reported: set[str] = set()

    def run(self, step: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Return ``function(*args, **kwargs)``, or None if it raised."""
        try:
            return function(*args, **kwargs)
        except Exception:
            self.report(step)
            return None

    def report(self, step: str) -> None:
        """Say that a step has failed, from the handler of what it raised."""
        level = logging.DEBUG if step in self._reported else logging.WARNING
        self._reported.add(step)
        # A service's own log handler may raise too.
        with suppress(Exception):
            _logger.log(level, "hansei could not %s; the application is not affected", step, exc_info=True)
